/** Puts the vendors' real CLIs into a cache folder, at the versions that `versions.json` pins. */

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Exact versions by npm package name, as pinned in `versions.json`: the current one first, then older ones. */
const pinned = JSON.parse(readFileSync(new URL('versions.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, readonly string[]>
>;

/** Where installed clients are kept between runs: `$SFS_CLIENTS_CACHE`, else `~/.cache/sessionfs-clients`. */
export function clientsCache(): string {
  return process.env['SFS_CLIENTS_CACHE'] || join(homedir(), '.cache', 'sessionfs-clients');
}

/** The pinned versions of `npmPackage`, the current one first. Throws when `versions.json` does not name any. */
export function pinnedVersions(npmPackage: string): readonly string[] {
  const versions = pinned[npmPackage] ?? [];
  if (versions.length === 0) {
    throw new Error(`test/clients/versions.json pins no version of ${npmPackage}; add one`);
  }
  return versions;
}

/**
 * Installs `npmPackage` at `version` unless the cache has it, and returns the folder that holds its `node_modules`. Installs into a temporary folder of the cache and renames it, so a folder that is there is whole.
 * No install scripts run: the three vendors ship their native parts as optional dependency packages.
 * Throws with npm's own last lines when npm fails.
 */
export async function installClient(npmPackage: string, version: string): Promise<string> {
  const cache = clientsCache();
  const folder = join(cache, `${npmPackage.replace('/', '+')}@${version}`);
  if (existsSync(folder)) return folder;

  await mkdir(cache, { recursive: true });
  const temporary = await mkdtemp(join(cache, '.install-'));
  try {
    await writeFile(join(temporary, 'package.json'), JSON.stringify({ private: true }));
    await npmInstall(temporary, `${npmPackage}@${version}`);
    await renameUnlessThere(temporary, folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return folder;
}

function npmInstall(folder: string, spec: string): Promise<void> {
  const argv = ['install', '--save-exact', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', spec];
  return new Promise((resolve, reject) => {
    const npm = spawn('npm', argv, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    npm.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    npm.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    npm.on('error', (error) => reject(new Error(`cannot run npm to install ${spec}: ${error.message}`)));
    npm.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`npm install ${spec} failed with status ${code}:\n${said.trim().slice(-2000)}`));
    });
  });
}

/** Another run may have installed the same version meanwhile; its folder is as good as ours. */
async function renameUnlessThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}
