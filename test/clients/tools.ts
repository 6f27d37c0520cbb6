/** The tools of the matrix: every adapter folder with a `drive.ts`, and its CLI at each pinned version. */

import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Drive } from '../../src/adapters/drive.ts';
import { adapters } from '../../src/adapters/index.ts';
import { isOlder } from '../../src/adapters/shared/version.ts';
import { installClient, pinnedVersions } from './install.ts';

const folders = new URL('../../src/adapters/', import.meta.url);

/** One tool at one version: `id` is its adapter's folder. */
export type Tool = {
  readonly id: string;
  readonly version: string;
  /** What it is called in the matrix: the id, with the version where that is an older one. */
  readonly name: string;
  /** Is this the newest pinned version? */
  readonly current: boolean;
  /** Is this version old enough that `sfs resume` refuses to write for it? */
  readonly refused: boolean;
  readonly drive: Drive;
  /** Absolute path of the installed CLI. */
  readonly executable: string;
};

/** Ids of all adapter folders that have a `drive.ts`, sorted. */
export async function drivableIds(): Promise<readonly string[]> {
  const entries = await readdir(folders, { withFileTypes: true });
  const ids = entries
    .filter((entry) => entry.isDirectory() && existsSync(driveFile(entry.name)))
    .map(({ name }) => name);
  return ids.sort();
}

/**
 * Loads the versions of a tool that `wanted` takes, the current one first, and installs those that the cache lacks.
 * Throws for an id without a drive.
 */
export async function loadTool(id: string, wanted: (name: string) => boolean): Promise<readonly Tool[]> {
  const file = driveFile(id);
  if (!existsSync(file)) throw new Error(`no drive for "${id}": ${file.pathname} does not exist`);
  const { drive } = (await import(file.href)) as { readonly drive: Drive };
  const minimum = adapters.find((adapter) => adapter.id === id)?.writer?.minimumVersion;
  const versions = pinnedVersions(drive.npmPackage).map((version, at) => {
    const named = { version, current: at === 0, name: at === 0 ? id : `${id}@${version}` };
    return { id, ...named, refused: minimum === undefined || isOlder(version, minimum), drive };
  });
  const tools: Tool[] = [];
  for (const tool of versions.filter(({ name }) => wanted(name))) {
    tools.push({ ...tool, executable: await installed(drive, tool.version) });
  }
  return tools;
}

/** Makes the tool's program in `folder`, under the name a person types, this version of it. */
export async function putInPath(folder: string, { drive, executable }: Tool): Promise<void> {
  await mkdir(folder, { recursive: true });
  const program = join(folder, drive.program);
  await symlink(executable, `${program}.new`);
  await rename(`${program}.new`, program);
}

async function installed(drive: Drive, version: string): Promise<string> {
  const folder = await installClient(drive.npmPackage, version);
  const candidates = drive.executables(process.platform, process.arch).map((path) => join(folder, path));
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) {
    throw new Error(`${drive.npmPackage} ${version} was installed without ${candidates.join(' or ')}`);
  }
  return found;
}

function driveFile(id: string): URL {
  return new URL(`${id}/drive.ts`, folders);
}
