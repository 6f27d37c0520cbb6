/** Options and arguments that several commands share, and parsers of option values. */

/** A whole number, zero or more. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new SyntaxError(`${JSON.stringify(text)} is not a whole number`);
  return Number(text);
}

const units = { '': 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12, KI: 2 ** 10, MI: 2 ** 20, GI: 2 ** 30, TI: 2 ** 40 } as const;

/** A size on the disk in bytes: `5GB`, `1.5 GiB`, `300M`, `1000`. */
export function byteSize(text: string): number {
  const [, count, unit] = /^(\d{1,12}(?:\.\d{1,6})?) ?([KMGT]?I?)B?$/i.exec(text) ?? [];
  const times = Object.entries(units).find(([name]) => name === unit?.toUpperCase())?.[1];
  if (count === undefined || times === undefined)
    throw new SyntaxError(`${JSON.stringify(text)} is not a size: write 500MB, 5GB`);
  return Math.round(Number(count) * times);
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
