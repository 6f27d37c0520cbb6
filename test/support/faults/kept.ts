/** What a store holds, read by the specification of its files alone (`docs/format.md`) and none of the project's own readers. */

import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { real } from './real.ts';

/** A message as far as it can be compared with what was said. */
export interface KeptMessage {
  readonly id: string;
  readonly parent: string | null;
  readonly role: string;
  readonly text: string;
}

/** A committed session. */
export interface KeptSession {
  readonly nativeId: string;
  readonly folder: string;
  readonly messages: readonly KeptMessage[];
  /** By file key. */
  native(key: string): Buffer | undefined;
  /** Names of unfinished files. */
  readonly unfinished: readonly string[];
}

interface Line {
  readonly msg_id: string;
  readonly parent_msg_id: string | null;
  readonly role: string;
  readonly content: readonly { readonly type: string; readonly text?: string }[];
}

interface Committed {
  readonly messagesBytes: number;
  readonly native: Readonly<
    Record<
      string,
      {
        readonly generation: number;
        readonly frames: readonly { readonly stored: number }[];
        readonly tailBytes: number;
      }
    >
  >;
}

/** Sessions that are listed and hold nothing: begun, and never committed. */
export function emptySessions(root: string): string[] {
  const folder = join(root, 'sessions');
  if (!real.existsSync(folder)) return [];
  const has = (name: string, file: string): boolean => real.existsSync(join(folder, name, file));
  return real.readdirSync(folder).filter((name) => has(name, 'manifest.json') && !has(name, 'messages.jsonl'));
}

/** Every committed session of a store. Throws where a file is not as the commit says. */
export function keptSessions(root: string): KeptSession[] {
  const folder = join(root, 'sessions');
  if (!real.existsSync(folder)) return [];
  return real.readdirSync(folder).flatMap((name) => keptSession(join(folder, name)) ?? []);
}

/** The session of one directory; `undefined` when it was never committed. Throws where a file is not as the commit says. */
export function keptSession(folder: string): KeptSession | undefined {
  const path = join(folder, 'meta', 'commit.json');
  if (!real.existsSync(path)) return undefined;
  // Written by the project; a wrong shape fails the test.
  const commit = JSON.parse(real.readFileSync(path, 'utf8')) as Committed;
  const manifest = JSON.parse(real.readFileSync(join(folder, 'manifest.json'), 'utf8')) as {
    readonly source: { readonly original_session_id: string };
  };
  const messages = committedBytes(join(folder, 'messages.jsonl'), commit.messagesBytes).toString('utf8');
  const lines = messages.split('\n');
  if (lines.pop() !== '') throw new Error(`${folder}: the last message has no end`);
  return {
    nativeId: manifest.source.original_session_id,
    folder,
    messages: lines.map((text) => {
      const line = JSON.parse(text) as Line;
      return {
        id: line.msg_id,
        parent: line.parent_msg_id,
        role: line.role,
        text: line.content.map((block) => block.text ?? `[${block.type}]`).join(''),
      };
    }),
    native: (key) => {
      const file = commit.native[key];
      return file === undefined ? undefined : archived(join(folder, 'native', key, String(file.generation)), file);
    },
    unfinished: ['', 'meta/']
      .flatMap((place) => real.readdirSync(join(folder, place)).map((name) => place + name))
      .filter((name) => /(?:^|\/)\.[^/]*\.tmp$/.test(name)),
  };
}

function archived(folder: string, { frames, tailBytes }: Committed['native'][string]): Buffer {
  const stored = frames.reduce((sum, frame) => sum + frame.stored, 0);
  const pieces: Buffer[] = [];
  let at = 0;
  const bytes = stored === 0 ? Buffer.alloc(0) : committedBytes(join(folder, 'frames.zst'), stored);
  for (const frame of frames) {
    pieces.push(zstdDecompressSync(bytes.subarray(at, at + frame.stored)));
    at += frame.stored;
  }
  const raw = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (tailBytes > 0) pieces.push(committedBytes(join(folder, `tail.${raw}`), tailBytes));
  return Buffer.concat(pieces);
}

function committedBytes(path: string, length: number): Buffer {
  if (length === 0) return Buffer.alloc(0);
  const bytes = real.readFileSync(path);
  if (bytes.length < length) throw new Error(`${path} has ${bytes.length} bytes, ${length} were promised`);
  return bytes.subarray(0, length);
}
