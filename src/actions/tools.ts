/** The coding tools on this machine: which are installed, in which version, where they keep their sessions. */

import { basename, dirname, join, resolve } from 'node:path';
import type { Adapter } from '../adapters/adapter.ts';
import { SessionFsError } from '../errors.ts';
import type { Machine } from '../io/machine.ts';
import { isObject } from '../model/json.ts';
import { decodeLine } from '../format/line.ts';
import type { ToolConfig } from './config.ts';
import type { Context } from './context.ts';
import { withIndex } from './with-index.ts';
import { storeExists } from '../store/store.ts';

/** One tool as `sfs tools` shows it. */
export interface ToolStatus {
  readonly tool: string;
  readonly name: string;
  readonly installed: boolean;
  /** Absolute path of the command. */
  readonly command: string | undefined;
  readonly version: string | undefined;
  readonly home: string;
  readonly home_exists: boolean;
  /** Is it captured when sessions are imported? */
  readonly enabled: boolean;
  /** Sessions in the store. */
  readonly captured: number;
  readonly can_resume: boolean;
  /** What it deletes of its own sessions by itself; `null` when it is not known to delete any. */
  readonly retention: ToolRetention | null;
}

/** How long a tool keeps its own sessions; what was captured stays all the same. */
export interface ToolRetention {
  /** Since a session's last change; `null`: however old. */
  readonly days: number | null;
  /** At most so many sessions; `null`: any number. */
  readonly sessions: number | null;
  /** Nobody set it. */
  readonly is_default: boolean;
  /** Absolute path of the file to set it in. */
  readonly settings: string;
  /** What to write there so that it keeps all. */
  readonly keep_all: string;
}

/** Every known tool. */
export async function listTools(context: Context): Promise<ToolStatus[]> {
  const counts = storeExists(context.store)
    ? await withIndex(context, { create: false }, (index) => index.countByTool())
    : new Map<string, number>();
  return Promise.all(
    context.adapters.map(async (adapter) => {
      const home = homeOf(context, adapter);
      const { command: program, also = [] } = adapter.install;
      const [command] = [program, ...also].flatMap((name) => context.machine.which(name) ?? []);
      return {
        tool: adapter.id,
        name: adapter.name,
        installed: command !== undefined,
        command,
        version: command === undefined ? undefined : await versionOf(context.machine, adapter, command),
        home,
        home_exists: context.machine.stat(home)?.kind === 'directory',
        enabled: isEnabled(context, adapter),
        captured: counts.get(adapter.id) ?? 0,
        can_resume: adapter.writer !== undefined,
        retention: retentionOf(context.machine, adapter, home),
      };
    }),
  );
}

/** How long a tool keeps the sessions in its home, as its settings are now. */
export function retentionOf(machine: Machine, { retention }: Adapter, home: string): ToolRetention | null {
  if (retention === undefined) return null;
  const settings = join(home, retention.settings);
  const { days, sessions, isDefault } = retention.read(textAt(machine, settings));
  return {
    days: days ?? null,
    sessions: sessions ?? null,
    is_default: isDefault,
    settings,
    keep_all: retention.keepAll,
  };
}

/** So many days are as good as for ever. */
const longDays = 3650;

/** Does the tool delete sessions that a person may want to go on with? */
export function isShort({ days, sessions }: ToolRetention): boolean {
  return (days !== null && days < longDays) || sessions !== null;
}

function textAt(machine: Machine, path: string): string | undefined {
  try {
    return machine.readText(path);
  } catch {
    // Settings that may not be read count as none: the default is the worst that is known.
    return undefined;
  }
}

/** The tool a person names, by id or alias. Throws `unknown-tool` listing those there are. */
export function toolNamed(context: Context, name: string): Adapter {
  const wanted = name.toLowerCase();
  const found = context.adapters.find((adapter) => adapter.id === wanted || adapter.aliases.includes(wanted));
  if (found !== undefined) return found;
  const known = context.adapters.map((adapter) => adapter.id).join(', ');
  throw new SessionFsError('unknown-tool', `there is no tool ${JSON.stringify(name)}`, `name one of: ${known}`);
}

/** Where a tool keeps its sessions: its own environment variable, else the configuration, else its default. */
export function homeOf(context: Context, adapter: Adapter): string {
  const { machine } = context;
  for (const { name, append, on = machine.platform } of adapter.home.env) {
    const value = on === machine.platform ? machine.env[name] : undefined;
    if (value !== undefined && value !== '') return resolve(expand(machine, value), append ?? '');
  }
  const configured = toolConfig(context, adapter).home_dir;
  if (configured !== undefined) return resolve(expand(machine, configured));
  const defaults = adapter.home.default;
  const byPlatform =
    machine.platform === 'darwin' ? defaults.darwin : machine.platform === 'win32' ? defaults.win32 : undefined;
  return join(machine.homeDir, byPlatform ?? defaults.linux);
}

/** Captured unless the configuration says no. */
export function isEnabled(context: Context, adapter: Adapter): boolean {
  return toolConfig(context, adapter).enabled !== false;
}

/** The installed version, from the package beside the command or from the command itself; `undefined` when neither tells. */
export async function versionOf(machine: Machine, adapter: Adapter, command: string): Promise<string | undefined> {
  const packaged =
    adapter.install.npm === undefined
      ? undefined
      : packageVersion(machine, machine.realPath(command), adapter.install.npm);
  if (packaged !== undefined) return packaged;
  const { stdout, stderr } = await machine.run([command, ...adapter.install.versionArgs], { timeoutMs: 20_000 });
  return /\d+\.\d+(\.\d+)?/.exec(stdout)?.[0] ?? /\d+\.\d+(\.\d+)?/.exec(stderr)?.[0];
}

function toolConfig(context: Context, adapter: Adapter): ToolConfig {
  // A person may have written several sections for one tool; the one under its id counts most.
  return Object.assign(
    {},
    ...[...adapter.aliases, adapter.id].map((section) => context.config.tools[section] ?? {}),
  ) as ToolConfig;
}

function expand(machine: Machine, path: string): string {
  return path === '~' || path.startsWith('~/') ? join(machine.homeDir, path.slice(1)) : path;
}

/** Goes up from the command's real file to the package it belongs to. */
function packageVersion(machine: Machine, command: string, packageName: string): string | undefined {
  for (
    let folder = dirname(command), left = 8;
    left > 0 && folder !== dirname(folder);
    folder = dirname(folder), left -= 1
  ) {
    if (basename(folder) === 'node_modules') return undefined;
    const value = decodeLine(machine.readText(join(folder, 'package.json')) ?? '');
    if (isObject(value) && value['name'] === packageName && typeof value['version'] === 'string')
      return value['version'];
  }
  return undefined;
}
