/** Lenient looks into bodies of unknown shape. */

/** A JSON object, as far as one can look into it. */
export type Fields = Readonly<Record<string, unknown>>;

/** The value as an object; `{}` when it is none. */
export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** The elements of a list as objects; none when it is no list. */
export function rows(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fields) : [];
}

/** The value as a string; `""` when it is none. */
export function string(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A rough token count of any JSON value: characters by four. */
export function roughTokens(value: unknown): number {
  return Math.ceil((JSON.stringify(value) ?? '').length / 4);
}
