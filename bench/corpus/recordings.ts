/** The recorded sessions of an adapter as templates: one record of each kind, to be filled anew. */

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Random } from './random.ts';
import type { Text } from './text.ts';

/** A native record. */
export type Native = Readonly<Record<string, unknown>>;

const adaptersFolder = fileURLToPath(new URL('../../src/adapters', import.meta.url));

/** The records of a tool's fixtures, newest version first, each file in line order. */
export class Recordings {
  readonly #tool: string;
  readonly #records: readonly Native[];
  readonly #text: Text;
  readonly #random: Random;

  constructor(tool: string, text: Text, random: Random) {
    this.#tool = tool;
    this.#text = text;
    this.#random = random;
    this.#records = filesBelow(join(adaptersFolder, tool, 'fixtures'))
      .toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }))
      .flatMap((path) => readFileSync(path, 'utf8').split('\n'))
      .flatMap((line) => recordOf(line));
  }

  /** The first record that fits, with what scrubbing took out of it filled in again. Throws when none was recorded. */
  first(what: string, fits: (record: Native) => boolean): Native {
    const found = this.#records.find(fits);
    if (found === undefined) throw new Error(`no recording of ${this.#tool} has ${what}`);
    return objectOf(this.#refilled(found));
  }

  /** Scrubbed fixtures say how much of a long text they left out; a corpus needs the weight again. */
  #refilled(value: unknown): unknown {
    if (typeof value === 'string') return this.#refilledText(value);
    if (Array.isArray(value)) return value.map((one) => this.#refilled(one));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.#refilled(one)]));
  }

  #refilledText(text: string): string {
    const trimmed = /…\[trimmed (\d+) chars\]$/.exec(text);
    if (trimmed !== null) return text.slice(0, trimmed.index) + this.#text.prose(this.#random, Number(trimmed[1]));
    const definitions = /^\[(\d+) tool definitions trimmed\]$/.exec(text);
    if (definitions !== null) return this.#text.prose(this.#random, Number(definitions[1]) * 2500);
    if (text.startsWith('[instructions elided, same length]')) return this.#text.prose(this.#random, text.length);
    return text;
  }
}

/** The object below a key; empty when there is none. */
export function objectAt(record: Native, ...keys: readonly string[]): Native {
  let value: unknown = record;
  for (const key of keys) value = objectOf(value)[key];
  return objectOf(value);
}

/** The value as an object; empty when it is none. */
export function objectOf(value: unknown): Native {
  // Any object read from JSON is a record of unknown fields.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Native) : {};
}

/** The first block of a message's content. */
export function firstBlock(record: Native): Native {
  const content = objectAt(record, 'message')['content'];
  return Array.isArray(content) ? objectOf(content[0]) : {};
}

function recordOf(line: string): Native[] {
  if (line === '') return [];
  try {
    return [objectOf(JSON.parse(line))];
  } catch {
    // Some recordings end in a torn line on purpose.
    return [];
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : entry.name.endsWith('.jsonl') ? [path] : [];
  });
}

/** Changes when a recording does. */
export function recordingsDigest(tools: readonly string[]): string {
  const hash = createHash('sha256');
  for (const tool of tools)
    for (const path of filesBelow(join(adaptersFolder, tool, 'fixtures')))
      hash.update(path.slice(adaptersFolder.length)).update(readFileSync(path));
  return hash.digest('hex');
}
