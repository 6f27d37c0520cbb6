/** JSON values as types, and lenient looks into values nobody has checked yet. */

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** Is this an object (not null, not a list)? */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The field when it is an object, else `undefined`. */
export function objectAt(value: unknown, key: string): Record<string, unknown> | undefined {
  const found = isObject(value) ? value[key] : undefined;
  return isObject(found) ? found : undefined;
}

/** The field when it is a string, else `undefined`. */
export function stringAt(value: unknown, key: string): string | undefined {
  const found = isObject(value) ? value[key] : undefined;
  return typeof found === 'string' ? found : undefined;
}

/** The field when it is a finite number, else `undefined`. */
export function numberAt(value: unknown, key: string): number | undefined {
  const found = isObject(value) ? value[key] : undefined;
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined;
}

/** The field when it is a non-negative whole number, else `undefined`. */
export function countAt(value: unknown, key: string): number | undefined {
  const found = numberAt(value, key);
  return found !== undefined && Number.isInteger(found) && found >= 0 ? found : undefined;
}

/** The field when it is a boolean, else `undefined`. */
export function booleanAt(value: unknown, key: string): boolean | undefined {
  const found = isObject(value) ? value[key] : undefined;
  return typeof found === 'boolean' ? found : undefined;
}

/** The field when it is a list, else an empty list. */
export function listAt(value: unknown, key: string): readonly unknown[] {
  const found = isObject(value) ? value[key] : undefined;
  return Array.isArray(found) ? found : [];
}

/** The value as JSON object when it is an object parsed from JSON, else `{ value }`. Tool inputs must be objects. */
export function asJsonObject(value: unknown): JsonObject {
  // Everything native reaches us through JSON.parse, so what is inside is JSON; the checker cannot see that.
  if (isObject(value)) return value as JsonObject;
  return { input: (value ?? null) as Json };
}

/** JSON text with keys sorted at every level: the same value gives the same text on every machine. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value ?? null);
  const fields = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`);
  return `{${fields.join(',')}}`;
}
