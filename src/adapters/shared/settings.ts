/** A tool's settings file: JSON, in which people may have written comments. */

/** Its value; `undefined` where there is none, or it is no JSON. */
export function settingsOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  const bare = text.replaceAll(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[^]*?\*\//g, (part) =>
    part.startsWith('"') ? part : ' ',
  );
  try {
    return JSON.parse(bare);
  } catch {
    // The tool would complain itself.
    return undefined;
  }
}
