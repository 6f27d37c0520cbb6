/** Options and arguments that several commands share, and parsers of option values. */

/** A whole number, zero or more. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new SyntaxError(`${JSON.stringify(text)} is not a whole number`);
  return Number(text);
}

/** A number of tokens above zero, or `auto`. */
export function tokenBudget(text: string): number | 'auto' {
  if (text === 'auto') return text;
  if (!/^0*[1-9]\d{0,14}$/.test(text))
    throw new SyntaxError(`${JSON.stringify(text)} is no budget: give a whole number of tokens above 0, or auto`);
  return Number(text);
}

/** The flags of a command that has only `--json`. */
export interface JsonFlag {
  readonly json: boolean;
}

/** `--json` */
export const jsonFlag = { kind: 'boolean', brief: 'As JSON', default: false } as const;

/** The session a command is about. */
export const sessionParameter = {
  parse: String,
  placeholder: 'session',
  brief: 'Id, beginning of an id, alias, or @last',
} as const;
