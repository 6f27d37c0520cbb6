/**
 * The little of tar that an exported session needs. Written: plain files, oldest form (ustar), pax records only where a name or
 * a size does not fit; no times, no owners. Read: plain files and folders, strictly; whatever else an archive can hold is refused.
 */

import { SessionFsError } from '../errors.ts';

/** A file to be packed. */
export interface Packed {
  /** Relative, with `/`. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly chunks: Iterable<Uint8Array>;
}

const blockBytes = 512;
const longestName = 100;
const largestOctal = 8 ** 11;
const zeros = Buffer.alloc(2 * blockBytes);

/** The archive piece by piece, in the order given. Throws `unreadable` when a file does not have the size stated. */
export function* tar(files: Iterable<Packed>): Generator<Uint8Array> {
  for (const { name, sizeBytes, chunks } of files) {
    const fields: [string, string][] = [];
    if (!/^[\x20-\x7e]*$/.test(name) || name.length > longestName) fields.push(['path', name]);
    if (sizeBytes >= largestOctal) fields.push(['size', String(sizeBytes)]);
    if (fields.length > 0) {
      const pax = Buffer.concat(fields.map(([key, value]) => paxRecord(key, value)));
      yield headerOf('pax', pax.length, 'x');
      yield pax;
      yield padding(pax.length);
    }
    yield headerOf(fields.some(([key]) => key === 'path') ? 'file' : name, sizeBytes % largestOctal, '0');
    let length = 0;
    for (const chunk of chunks) {
      length += chunk.length;
      yield chunk;
    }
    if (length !== sizeBytes)
      throw new SessionFsError('unreadable', `${name} changed while it was read`, 'run the command again');
    yield padding(sizeBytes);
  }
  yield zeros;
}

function headerOf(name: string, sizeBytes: number, type: string): Buffer {
  const header = Buffer.alloc(blockBytes);
  const octal = (value: number, at: number, width: number): void => {
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  };
  header.write(name, 0, 'latin1');
  octal(0o600, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(sizeBytes, 124, 12);
  octal(0, 136, 12);
  header.write(type, 156, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  header.write(`${checksumOf(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** The sum of all bytes, those of the checksum itself as spaces. */
function checksumOf(header: Buffer): number {
  let sum = 0;
  for (const [index, byte] of header.entries()) sum += index >= 148 && index < 156 ? 32 : byte;
  return sum;
}

/** `<length> <key>=<value>\n`, the length counting its own digits. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`, 'utf8');
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return Buffer.from(`${length} ${key}=${value}\n`, 'utf8');
}

function padding(length: number): Buffer {
  return zeros.subarray(0, (blockBytes - (length % blockBytes)) % blockBytes);
}

const mostEntries = 10_000;
const longestPath = 1024;
const mostPaxBytes = 1 << 20;

/** Told of what an archive holds. `begin` answers whether the bytes of that file are wanted. */
export interface TarSink {
  begin(name: string, sizeBytes: number): boolean;
  bytes(piece: Buffer): void;
}

/** Reads an archive that comes in pieces. Every method throws `invalid-session` for what it refuses; `path` names the archive. */
export class TarReader {
  readonly #path: string;
  readonly #sink: TarSink;
  /** Of a header that came in two pieces. */
  #partial: Buffer = Buffer.alloc(0);
  /** Of the entry being read: bytes and padding to come. */
  #left = 0;
  #padding = 0;
  #reading: 'wanted' | 'unwanted' | 'pax' = 'unwanted';
  #pax: Buffer[] = [];
  #next: { path?: string; size?: number } = {};
  #ended = false;
  #entries = 0;
  readonly #names = new Set<string>();

  constructor(path: string, sink: TarSink) {
    this.#path = path;
    this.#sink = sink;
  }

  /** The next piece, of any length. */
  take(piece: Buffer): void {
    let rest = piece;
    while (rest.length > 0) {
      if (this.#left > 0) rest = this.#content(rest);
      else if (this.#padding > 0) {
        const skipped = Math.min(this.#padding, rest.length);
        this.#padding -= skipped;
        rest = rest.subarray(skipped);
      } else {
        const needed = blockBytes - this.#partial.length;
        this.#partial = Buffer.concat([this.#partial, rest.subarray(0, needed)]);
        rest = rest.subarray(needed);
        if (this.#partial.length < blockBytes) return;
        const header = this.#partial;
        this.#partial = Buffer.alloc(0);
        this.#header(header);
      }
    }
  }

  /** Nothing more comes. */
  end(): void {
    if (!this.#ended || this.#left > 0 || this.#partial.length > 0) throw this.#refused('is cut off');
  }

  #content(rest: Buffer): Buffer {
    const part = rest.subarray(0, this.#left);
    this.#left -= part.length;
    if (this.#reading === 'wanted') this.#sink.bytes(part);
    else if (this.#reading === 'pax') {
      // The piece is used again by whoever handed it in.
      this.#pax.push(Buffer.from(part));
      if (this.#left === 0) this.#readPax();
    }
    return rest.subarray(part.length);
  }

  #header(header: Buffer): void {
    if (header.every((byte) => byte === 0)) {
      this.#ended = true;
      return;
    }
    if (this.#ended) throw this.#refused('goes on behind its end');
    if (octalAt(header, 148, 8) !== checksumOf(header)) throw this.#refused('is no tar archive, or a damaged one');
    this.#entries += 1;
    if (this.#entries > mostEntries) throw this.#refused(`holds more than ${mostEntries} entries`);
    const type = header[156] === 0 ? '0' : String.fromCharCode(header[156] ?? 0);
    const stated = octalAt(header, 124, 12);
    if (stated === undefined) throw this.#refused('states no size for an entry');
    if (type === 'x' || type === 'g') {
      if (stated > mostPaxBytes) throw this.#refused('has a header of more than 1 MiB');
      this.#expect(stated, type === 'x' ? 'pax' : 'unwanted');
      return;
    }
    const { path, size } = this.#next;
    this.#next = {};
    const prefix = header.toString('latin1', 257, 262) === 'ustar' ? textAt(header, 345, 155) : '';
    const name = path ?? [prefix, textAt(header, 0, 100)].filter((part) => part !== '').join('/');
    const safe = this.#safeName(name, type);
    if (type === '5') {
      if (stated > 0) throw this.#refused(`holds a folder with content: ${shown(name)}`);
      return;
    }
    if (type !== '0') throw this.#refused(`holds ${kinds[type] ?? `an entry of kind ${shown(type)}`}: ${shown(name)}`);
    // Some systems hold names that differ in case only for the same.
    const folded = safe.normalize('NFC').toLowerCase();
    if (this.#names.has(folded)) throw this.#refused(`holds ${shown(name)} twice`);
    this.#names.add(folded);
    const sizeBytes = size ?? stated;
    this.#expect(sizeBytes, this.#sink.begin(safe, sizeBytes) ? 'wanted' : 'unwanted');
  }

  #expect(sizeBytes: number, reading: 'wanted' | 'unwanted' | 'pax'): void {
    this.#left = sizeBytes;
    this.#padding = (blockBytes - (sizeBytes % blockBytes)) % blockBytes;
    this.#reading = reading;
  }

  /** `path` and `size` of the next entry; times and owners mean nothing here. */
  #readPax(): void {
    let rest = Buffer.concat(this.#pax);
    this.#pax = [];
    while (rest.length > 0) {
      const space = rest.indexOf(32);
      const length = space > 0 ? Number(rest.toString('latin1', 0, space)) : Number.NaN;
      if (!Number.isInteger(length) || length <= space + 1 || length > rest.length)
        throw this.#refused('has a damaged pax header');
      const [key, ...value] = rest.toString('utf8', space + 1, length - 1).split('=');
      const text = value.join('=');
      if (key === 'path') this.#next.path = text;
      else if (key === 'size') {
        const size = Number(text);
        if (!/^\d{1,15}$/.test(text) || !Number.isSafeInteger(size)) throw this.#refused('states no size for an entry');
        this.#next.size = size;
      } else if (key === 'linkpath' || key?.startsWith('GNU.sparse') === true)
        throw this.#refused('holds a link or a sparse file');
      rest = rest.subarray(length);
    }
  }

  /** The name without `./`; throws for one that would leave the folder, or that some system reads otherwise. */
  #safeName(name: string, type: string): string {
    const text = shown(name);
    if (name.length > longestPath) throw this.#refused(`holds a name of more than ${longestPath} characters`);
    if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) throw this.#refused(`holds an absolute path: ${text}`);
    if (/[\\\p{Cc}\uFFFD]/u.test(name)) throw this.#refused(`holds a name that is not plain text: ${text}`);
    const parts = (type === '5' ? name.replace(/\/$/, '') : name).split('/').filter((part) => part !== '.');
    if (parts.includes('..')) throw this.#refused(`holds a path that leads out of it: ${text}`);
    if (parts.includes('') || (parts.length === 0 && type !== '5')) throw this.#refused(`holds an empty name: ${text}`);
    return parts.join('/');
  }

  #refused(what: string): SessionFsError {
    return new SessionFsError(
      'invalid-session',
      `${this.#path} ${what}`,
      'nothing was taken in; get the file again, or have it exported again: sfs export ID --output NAME.tar.gz',
    );
  }
}

const kinds: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a device',
  '4': 'a device',
  '6': 'a named pipe',
};

/** A name in plain ASCII, so that nothing in it can reach a terminal. */
function shown(name: string): string {
  return JSON.stringify(name.slice(0, 200)).replaceAll(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function textAt(header: Buffer, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? length : end);
}

function octalAt(header: Buffer, at: number, length: number): number | undefined {
  const text = header
    .toString('latin1', at, at + length)
    .replace(/[\0 ]+$/, '')
    .trimStart();
  return /^[0-7]{1,12}$/.test(text) ? Number.parseInt(text, 8) : undefined;
}
