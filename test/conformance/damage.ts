/** Bytes of recordings, damaged as disks, crashes, hands and other programs damage them: the same for the same seed. */

import type { Random } from '../../bench/corpus/random.ts';

/**
 * The bytes with up to four damages. `others`: whole lines of any recording, to be put in or swapped for. A damage of bytes
 * mostly leaves no JSON; one of values leaves it, so that the reader meets it.
 */
export function damaged(bytes: Buffer, others: readonly Buffer[], random: Random): Buffer {
  // One letter for each byte.
  let text = bytes.toString('latin1');
  const other = random.pick(others).toString('latin1');
  for (let times = random.between(1, 4); times > 0; times -= 1)
    text = random.pick(random.chance(0.7) ? ofValues : ofBytes)(text, other, random);
  return Buffer.from(text, 'latin1');
}

type Damage = (text: string, other: string, random: Random) => string;

function place(text: string, random: Random): number {
  return random.between(0, text.length);
}

function put(text: string, at: number, what: string, instead = 0): string {
  return text.slice(0, at) + what + text.slice(at + instead);
}

const ofBytes: readonly Damage[] = [
  // A bit.
  (text, _, random) => {
    const at = place(text, random);
    const code = at < text.length ? text.charCodeAt(at) ^ (1 << random.between(0, 7)) : 10;
    return put(text, at, String.fromCharCode(code), 1);
  },
  // The end.
  (text, _, random) => text.slice(0, place(text, random)),
  // The beginning.
  (text, _, random) => text.slice(place(text, random)),
  // Some bytes in the middle.
  (text, _, random) => put(text, place(text, random), '', random.between(1, 200)),
  // The same bytes again.
  (text, _, random) => {
    const at = place(text, random);
    return put(text, at, text.slice(at, at + random.between(1, 300)));
  },
  // Blocks that were never written, bytes of another encoding, ends of lines of another system.
  (text, _, random) => put(text, place(text, random), '\0'.repeat(random.pick([1, 7, 512]))),
  (text, _, random) =>
    put(text, place(text, random), random.pick(['\xff\xfe', '\xc3', '\xed\xa0\xbd', '\xf4\x90\x80\x80'])),
  (text, _, random) =>
    put(text, place(text, random), random.pick(['\n', '\r\n', '\r', '\x1b[2J', '\xef\xbb\xbf', '\xe2\x80\xa8'])),
  // Two writes without the newline between them.
  (text, _, random) => put(text, text.indexOf('\n', place(text, random)), '', 1),
  (text, other) => text.trimEnd() + other,
  // Half of one line and half of another.
  (text, other, random) => text.slice(0, place(text, random)) + other.slice(place(other, random)),
  // The same line again, and lines in another order.
  (text, _, random) => {
    const lines = text.split('\n');
    const at = random.between(0, lines.length - 1);
    return lines
      .toSpliced(at, random.between(0, 1), lines[at] ?? '', lines[random.between(0, lines.length - 1)] ?? '')
      .join('\n');
  },
];

/** What stands where something else is expected. */
const wrong = [
  'null',
  'true',
  '[]',
  '{}',
  '""',
  '0',
  '-1',
  '"x"',
  '[null]',
  '[[[]]]',
  '{"type":"user"}',
  '[{"type":"text"}]',
  '{"":{"":[]}}',
  '1e999',
  '-1e308',
  '123456789012345678901234567890',
  '0.1',
  String.raw`"\ud83d"`,
  String.raw`"\u0000"`,
  '"9999-99-99T99:99:99Z"',
  '"1970-01-01"',
  `"${'a'.repeat(5000)}"`,
] as const;

const fields = ['__proto__', 'constructor', 'toString', 'length', '', 'type', 'id', 'content'] as const;

const ofValues: readonly Damage[] = [
  // A value of another type.
  (text, _, random) => withValue(text, random, () => random.pick(wrong)),
  (text, _, random) => withValue(text, random, () => random.pick(wrong)),
  // One of the other values: ids that meet, rows that hang on themselves.
  (text, _, random) => withValue(text, random, () => valueIn(text, random)),
  (text, _, random) => withValue(text, random, () => valueIn(text, random)),
  // One of another line.
  (text, other, random) => withValue(text, random, () => valueIn(other, random)),
  // The value inside itself, and nested far.
  (text, _, random) =>
    withValue(text, random, (value) => random.pick([`[${value}]`, `{"a":${value}}`, `[${value},${value}]`])),
  (text, _, random) =>
    withValue(text, random, (value) => {
      const levels = random.chance(0.01) ? 20_000 : random.between(2, 300);
      return '{"in":['.repeat(levels) + value + ']}'.repeat(levels);
    }),
  // A field of another name.
  (text, _, random) => {
    const at = text.indexOf('":', place(text, random));
    const from = text.lastIndexOf('"', at - 1);
    return at < 0 || from < 0 ? text : put(text, from + 1, random.pick(fields), at - from - 1);
  },
  // A whole line more, of the same tool or another.
  (text, other, random) => put(text, text.indexOf('\n', place(text, random)) + 1, other),
];

/** The text with another value for the field that begins nearest behind some place. */
function withValue(text: string, random: Random, other: (value: string) => string): string {
  const at = text.indexOf('":', place(text, random));
  if (at < 0) return text;
  const value = valueAt(text, at + 2);
  return put(text, at + 2, other(value), value.length);
}

function valueIn(text: string, random: Random): string {
  const at = text.indexOf('":', place(text, random));
  return at < 0 ? 'null' : valueAt(text, at + 2);
}

/** The value that begins here, about: damaged text has no certain end. */
function valueAt(text: string, from: number): string {
  const first = text[from];
  if (first === '"') {
    let at = from + 1;
    while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    return text.slice(from, at + 1);
  }
  if (first !== '{' && first !== '[') return /^[\w.+-]*/.exec(text.slice(from, from + 40))?.[0] ?? '';
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === '"') at += valueAt(text, at).length - 1;
    else if (letter === '{' || letter === '[') depth += 1;
    else if (letter === '}' || letter === ']') depth -= 1;
    if (depth === 0) return text.slice(from, at + 1);
  }
  return text.slice(from);
}
