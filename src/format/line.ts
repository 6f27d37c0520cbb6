/** JSON lines: one value a line, readable by readers that split at every Unicode line end. */

const unicodeLineEnds = /[\u0085\u2028\u2029]/g;
/** Looking for each by itself takes a tenth of the expression's time, and most lines have none. */
const eachLineEnd = ['\u0085', '\u2028', '\u2029'] as const;

/** The value as one line without its newline. Lone surrogates become U+FFFD escapes as JSON.stringify writes them. */
export function encodeLine(value: unknown): string {
  const text = JSON.stringify(value);
  return eachLineEnd.some((end) => text.includes(end)) ? text.replaceAll(unicodeLineEnds, escaped) : text;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The value of a line; `undefined` when it is not JSON. */
export function decodeLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
