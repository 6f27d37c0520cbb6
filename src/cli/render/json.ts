/** JSON that is too large to be made as one text. */

const pieceLength = 1 << 16;

/** What `JSON.stringify({ ...facts, [name]: [...list] }, null, 2)` gives and a newline, in pieces. `facts` has at least one field. */
export function* jsonWithList(facts: object, name: string, list: Iterable<unknown>): Generator<string> {
  let text = `${JSON.stringify(facts, null, 2).slice(0, -'\n}'.length)},\n  ${JSON.stringify(name)}: [`;
  let isEmpty = true;
  for (const item of list) {
    // A text in JSON holds no line end of its own.
    text += `${isEmpty ? '' : ','}\n    ${JSON.stringify(item, null, 2).replaceAll('\n', '\n    ')}`;
    isEmpty = false;
    if (text.length < pieceLength) continue;
    yield text;
    text = '';
  }
  yield `${text}${isEmpty ? '' : '\n  '}]\n}\n`;
}
