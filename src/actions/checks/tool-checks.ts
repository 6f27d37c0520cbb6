/** Checks of the coding tools: can their homes be read, is their version one that was proven, do they delete what they wrote. */

import { join } from 'node:path';
import type { Adapter } from '../../adapters/adapter.ts';
import { isOlder } from '../../adapters/shared/version.ts';
import { messageOf } from '../../errors.ts';
import { homeOf, isEnabled, isShort, retentionOf, versionOf } from '../tools.ts';
import type { Check, Examination } from './check.ts';
import { fail, ok, warn } from './check.ts';

/** For each tool that is here: its home, its version, and how long it keeps its sessions. */
export async function toolChecks(examination: Examination): Promise<Check[]> {
  const checks = await Promise.all(examination.adapters.map((adapter) => checksOf(examination, adapter)));
  return checks.flat();
}

async function checksOf(examination: Examination, adapter: Adapter): Promise<Check[]> {
  const home = homeOf(examination, adapter);
  const found = homeCheck(examination, adapter, home);
  const version = await versionCheck(examination, adapter);
  // Of a home that cannot be read the settings cannot either.
  const isLookedInto = found.status === 'ok' && isEnabled(examination, adapter);
  return [found, ...version, ...(isLookedInto ? retentionCheck(examination, adapter, home) : [])];
}

function homeCheck(examination: Examination, adapter: Adapter, home: string): Check {
  const { machine } = examination;
  const name = `${adapter.id} home`;
  if (!isEnabled(examination, adapter))
    return ok(name, `it is switched off, so nothing of it is captured: sfs watcher enable ${adapter.id}`);
  try {
    if (machine.stat(home) === undefined) return ok(name, `${home} is not there yet`);
    const beside = adapter.home.beside?.(machine, home) ?? [];
    for (const folder of [home, ...adapter.home.watch.map((part) => join(home, part)), ...beside]) machine.list(folder);
    return ok(name, home);
  } catch (cause) {
    return fail(name, `nothing of it is captured: ${messageOf(cause)}`, `see who may read it: ls -ld '${home}'`);
  }
}

async function versionCheck({ machine }: Examination, adapter: Adapter): Promise<Check[]> {
  const name = `${adapter.id} version`;
  const command = machine.which(adapter.install.command);
  if (command === undefined || adapter.writer === undefined) return [];
  const version = await versionOf(machine, adapter, command);
  const { minimumVersion, provenVersion } = adapter.writer;
  const update =
    adapter.install.npm === undefined ? 'update it' : `update it: npm install -g ${adapter.install.npm}@latest`;
  if (version === undefined) return [warn(name, `${command} does not say its version`, `${command} --version`)];
  if (isOlder(version, minimumVersion))
    return [warn(name, `${version} does not load what is written for it; ${minimumVersion} or newer does`, update)];
  if (isOlder(provenVersion, version))
    return [
      warn(
        name,
        `${version} is newer than ${provenVersion}, the newest this was proven with: most likely it works`,
        'update SessionFS when there is a newer one: npm install -g sessionfs@latest',
      ),
    ];
  return [ok(name, version)];
}

function retentionCheck({ machine }: Examination, adapter: Adapter, home: string): Check[] {
  const retention = retentionOf(machine, adapter, home);
  if (retention === null || machine.stat(home) === undefined) return [];
  const name = `${adapter.id} retention`;
  if (!isShort(retention)) return [ok(name, 'it keeps its sessions')];
  const { days, sessions, settings, keep_all: keepAll } = retention;
  const limits = [
    ...(days === null ? [] : [`after ${days} days`]),
    ...(sessions === null ? [] : [`beyond the newest ${sessions}`]),
  ];
  return [
    warn(
      name,
      `it deletes its own sessions ${limits.join(' and ')}; what was captured stays here`,
      `to have it keep them, set in ${settings}: ${keepAll}`,
    ),
  ];
}
