/** Parsers of option values. */

/** A whole number, zero or more. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new SyntaxError(`${JSON.stringify(text)} is not a whole number`);
  return Number(text);
}
