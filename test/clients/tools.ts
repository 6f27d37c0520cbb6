/** The tools of the matrix: every adapter folder with a `drive.ts`, and its installed CLI. */

import { existsSync } from 'node:fs';
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Drive } from '../../src/adapters/drive.ts';
import { installClient } from './install.ts';

const adapters = new URL('../../src/adapters/', import.meta.url);

/** One tool: `id` is its adapter's folder, `executable` the absolute path of its installed CLI. */
export type Tool = { readonly id: string; readonly drive: Drive; readonly executable: string };

/** Ids of all adapter folders that have a `drive.ts`, sorted. */
export async function drivableIds(): Promise<readonly string[]> {
  const entries = await readdir(adapters, { withFileTypes: true });
  const ids = entries
    .filter((entry) => entry.isDirectory() && existsSync(driveFile(entry.name)))
    .map(({ name }) => name);
  return ids.sort();
}

/** Loads the tool's drive and installs its CLI unless the cache has it. Throws for an id without a drive. */
export async function loadTool(id: string): Promise<Tool> {
  const file = driveFile(id);
  if (!existsSync(file)) throw new Error(`no drive for "${id}": ${file.pathname} does not exist`);
  const { drive } = (await import(file.href)) as { readonly drive: Drive };
  const folder = await installClient(drive.npmPackage);
  const executable = join(folder, drive.executable(process.platform, process.arch));
  if (!existsSync(executable)) throw new Error(`${drive.npmPackage} was installed without ${executable}`);
  return { id, drive, executable };
}

/** Makes `folder` hold each tool's program under the name a person types. Returns the PATH of the scratch world. */
export async function programPath(folder: string, tools: readonly Tool[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  await symlink(process.execPath, join(folder, 'node'));
  for (const { drive, executable } of tools) await symlink(executable, join(folder, drive.program));
  return [folder, '/usr/bin', '/bin'].join(':');
}

function driveFile(id: string): URL {
  return new URL(`${id}/drive.ts`, adapters);
}
