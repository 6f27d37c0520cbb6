/** Bytes of a source as records for its reader: one line of a log, or a whole document. Touches nothing but what it is handed. */

import { isUtf8 } from 'node:buffer';
import type { Adapter, DecoderState, Given, Sink } from '../adapters/adapter.ts';
import { SessionFsError } from '../errors.ts';
import { isObject } from '../model/json.ts';

/** Told what each record was, besides what it says. */
export interface Counts extends Pick<Sink, 'loss'> {
  /** Counts one record: what the reader made of it, or `malformed`. */
  record(disposition: string): void;
}

/** Decoding one file. */
export interface Decoding {
  readonly adapter: Adapter;
  readonly state: DecoderState;
  readonly given: Given;
  readonly counts: Counts;
}

/** Lines that start with one of these are not parsed. */
export type Opaque = readonly Buffer[];

/** What {@link decodeLine} needs of an adapter's opaque prefixes. */
export function opaqueOf({ reader }: Adapter): Opaque {
  return reader.opaque.map((prefix) => Buffer.from(prefix, 'utf8'));
}

/**
 * Decodes one line without its newline. It is counted once, as what it was; a blank one is not. Several records on one line
 * (two writes without the newline between them) are decoded one after the other, each counted.
 */
export function decodeLine(bytes: Buffer, decoding: Decoding, opaque: Opaque): void {
  const { counts } = decoding;
  const trimmed = trim(bytes);
  if (trimmed.length === 0) return;
  if (isOpaque(trimmed, opaque)) {
    counts.record('state');
    return;
  }
  const records = recordsIn(trimmed);
  if (records === undefined) {
    counts.record('malformed');
    counts.loss('malformed-line');
    return;
  }
  if (!isUtf8(trimmed)) counts.loss('invalid-utf8');
  for (const record of records) decodeRecord(record, decoding);
}

/** Not so when another record seems to be glued to it. */
function isOpaque(line: Buffer, opaque: Opaque): boolean {
  return opaque.some((prefix) => line.subarray(0, prefix.length).equals(prefix)) && !line.includes('}{"');
}

/** Decodes a document; `false` when it is no JSON, and then nothing is counted. */
export function decodeDocument(bytes: Buffer, decoding: Decoding): boolean {
  const value = parse(trim(bytes).toString('utf8'));
  if (value === undefined) return false;
  decodeRecord(value, decoding);
  return true;
}

/** The source is quiet: what the reader held back is told. */
export function settle({ adapter, state, given, counts }: Decoding): void {
  guarded(counts, () => adapter.reader.settle(state, given));
}

/** A last line without a newline counts when it is a whole JSON object, or several; otherwise it waits until the rest is there. */
export function isWholeRecord(bytes: Buffer): boolean {
  const trimmed = trim(bytes);
  return trimmed[0] === 0x7b && trimmed[trimmed.length - 1] === 0x7d && recordsIn(trimmed) !== undefined;
}

function decodeRecord(value: unknown, { adapter, state, given, counts }: Decoding): void {
  guarded(counts, () => counts.record(adapter.reader.decode(value, state, given)));
}

/** Decoders do not throw; should one do so all the same (nesting beyond the stack), the record is a loss and the rest goes on. */
function guarded(counts: Counts, work: () => void): void {
  try {
    work();
  } catch (cause) {
    if (cause instanceof SessionFsError) throw cause;
    counts.record('unknown');
    counts.loss(`undecodable:${cause instanceof Error ? cause.name : 'error'}`);
  }
}

/** Without a byte order mark, NULs a crash left in front, and white space around. */
function trim(bytes: Buffer): Buffer {
  let start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  let end = bytes.length;
  while (start < end && isBlank(bytes[start])) start += 1;
  while (end > start && isBlank(bytes[end - 1])) end -= 1;
  return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
}

function isBlank(code: number | undefined): boolean {
  return code === 0 || code === 9 || code === 13 || code === 32;
}

/** The records of a line; `undefined` when it is not JSON. */
function recordsIn(bytes: Buffer): readonly unknown[] | undefined {
  const text = bytes.toString('utf8');
  const value = parse(text);
  return value === undefined ? gluedRecords(text) : [value];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [34, 92, 123, 125, 91, 93];

/**
 * Objects that make up a text without anything else, `{"a":1}{"b":2}`; `undefined` when it is not so. Each ends where its
 * brackets close, so there is one way at most to take them apart.
 */
function gluedRecords(text: string): unknown[] | undefined {
  const records: unknown[] = [];
  let start = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === openBrace || code === openBracket) depth += 1;
    else if (code === closeBrace || code === closeBracket) {
      depth -= 1;
      if (depth > 0) continue;
      const record = depth < 0 ? undefined : parse(withoutBlanks(text.slice(start, at + 1)));
      if (!isObject(record)) return undefined;
      records.push(record);
      start = at + 1;
    }
  }
  return start === text.length && records.length > 1 ? records : undefined;
}

/** The position of the quote that ends the string beginning at `from`, or the text's end. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1;
  return at;
}

function withoutBlanks(text: string): string {
  let start = 0;
  while (isBlank(text.charCodeAt(start))) start += 1;
  return text.slice(start);
}
