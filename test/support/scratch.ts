/** A scratch machine: an empty home and a store of its own below the temporary folder, removed after the test. */

import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import type { Context } from '../../src/actions/context.ts';
import { contextOf } from '../../src/actions/context.ts';
import { homeOf } from '../../src/actions/tools.ts';
import type { Adapter, SourceFile } from '../../src/adapters/adapter.ts';
import { adapters } from '../../src/adapters/index.ts';
import { systemMachine } from '../../src/io/system.ts';

/** A person's machine as far as a test needs it. */
export interface Scratch {
  readonly folder: string;
  readonly home: string;
  readonly context: Context;
  /** A workspace folder that exists. */
  readonly project: string;
}

/** Makes one; `env` adds to an environment that holds nothing of this machine's. */
export function scratch(
  t: Pick<TestContext, 'after'>,
  options: { readonly adapters?: readonly Adapter[]; readonly env?: { readonly [name: string]: string } } = {},
): Scratch {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sessionfs-')));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const home = join(folder, 'home');
  const project = join(folder, 'project');
  for (const path of [home, project]) mkdirSync(path);
  const machine = systemMachine({ env: { HOME: home, PATH: join(folder, 'bin'), ...options.env }, homeDir: home });
  return { folder, home, project, context: contextOf(machine, options.adapters ?? adapters) };
}

/** Puts a recording where the tool would have it; the path of that home. */
export function installRecording(place: Scratch, adapter: Adapter, recording: string): string {
  const target = homeOf(place.context, adapter);
  mkdirSync(target, { recursive: true });
  cpSync(join(fixturesOf(adapter), recording), target, { recursive: true });
  return target;
}

/** The folder of an adapter's recordings. */
export function fixturesOf(adapter: Adapter): string {
  return join(import.meta.dirname, '..', '..', 'src', 'adapters', adapter.id, 'fixtures');
}

/** The recordings of an adapter: each is a home of the tool. Folders of expected answers are none. */
export function recordingsOf(adapter: Adapter): string[] {
  return readdirSync(fixturesOf(adapter)).filter(
    (name) => /^\d/.test(name) && statSync(join(fixturesOf(adapter), name)).isDirectory(),
  );
}

/** The tools whose sessions can be written. */
export const writable: readonly Adapter[] = adapters.filter(({ writer }) => writer !== undefined);

/** The file that a source's path names; of a session in a database, the database. */
export function nativeFile(path: string): string {
  return statSync(dirname(path), { throwIfNoEntry: false })?.isFile() === true ? dirname(path) : path;
}

/** A native file's bytes; of one that its tool has packed, what it holds. */
export function nativeBytes(path: string): Buffer {
  const bytes = readFileSync(path);
  return path.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes;
}

/** What is decoded of a source's file: its bytes, or its rows in a database as capture archives them. */
export function decodedBytes(adapter: Adapter, file: SourceFile): Buffer {
  if (file.kind !== 'database') return nativeBytes(file.path);
  const machine = systemMachine({ env: {}, homeDir: '/nowhere' });
  const rows = adapter.reader.load?.(machine, file, () => undefined) ?? [];
  return Buffer.from(rows.map(({ record }) => `${JSON.stringify(record)}\n`).join(''), 'utf8');
}

/** What the tool's own session says that was placed as these files, line by line. */
export function sessionText({ context }: Scratch, adapter: Adapter, files: readonly string[]): string {
  const found = files.flatMap((path) => adapter.reader.sourceAt(context.machine, path, () => undefined) ?? []);
  const [file] = found[0]?.files ?? [];
  return file === undefined ? '' : decodedBytes(adapter, file).toString('utf8');
}

/** Puts a program of the tool's name into the PATH of the place that only knows its version. */
export function installProgram(place: Scratch, adapter: Adapter, version: string): void {
  const folder = join(place.folder, 'bin');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, adapter.install.command);
  writeFileSync(path, `#!/bin/sh\necho "${version}"\n`);
  chmodSync(path, 0o755);
}
