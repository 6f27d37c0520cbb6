/** What the daemon says of itself, in a file that is replaced whole; and whether the process that holds the store runs. */

import { join } from 'node:path';
import { SessionFsError } from '../errors.ts';
import { exists, prepareReplacement, readBytes, writeOver } from '../io/files.ts';
import type { Machine } from '../io/machine.ts';
import type { Store } from '../store/store.ts';

/** Files of the daemon below the store's root, each private. */
export interface DaemonFiles {
  /** Held while it runs; its text begins with the process id. */
  readonly lock: string;
  readonly status: string;
  readonly log: string;
}

/** Where they are. */
export function daemonFiles(store: Store): DaemonFiles {
  const at = (name: string): string => join(store.root, name);
  return { lock: at('daemon.lock'), status: at('daemon.json'), log: at('daemon.log') };
}

/** `daemon.json`, and what `sfs daemon status --json` prints. Times are ISO 8601. */
export interface DaemonStatus {
  readonly pid: number;
  /** Tells this process from a later one with the same number; `null` where the system does not say. */
  readonly process_mark: string | null;
  readonly version: string;
  readonly state: 'starting' | 'watching' | 'stopped';
  readonly started_at: string;
  /** When something in here last changed. */
  readonly updated_at: string;
  /** Why the configuration file is not in force: an older one is. `null` when it is. */
  readonly config_problem: string | null;
  /** Why nothing can be captured now (a full disk); tried again by itself. `null` when it can. */
  readonly trouble: string | null;
  readonly tools: readonly ToolWatch[];
  /** Since the start. */
  readonly captured: Readonly<Record<'new' | 'grown' | 'rewritten' | 'messages' | 'bytes', number>>;
  /** Last message that came in. */
  readonly last_capture_at: string | null;
  /** Last look at every source. */
  readonly last_search_at: string | null;
  /** Changes that wait to be captured. */
  readonly pending: number;
  /** Last failures, newest last; at most 10. */
  readonly problems: readonly { readonly at: string; readonly path: string; readonly problem: string }[];
}

/** One tool as the daemon has it. */
export interface ToolWatch {
  readonly tool: string;
  readonly home: string;
  /** `partly`: changes are told of some folders, the daemon looks at the others for itself. `absent`: nothing is there yet. */
  readonly state: 'watched' | 'partly' | 'absent' | 'off';
  readonly folders: number;
  readonly watched: number;
  /** Why it is watched partly, or what cannot be read. */
  readonly problem: string | null;
}

/**
 * Replaces the status file; on a full disk it is written over, since it has to say so. Not flushed: it is of no use after a crash.
 * Throws `store-unwritable`.
 */
export function writeStatus(store: Store, status: DaemonStatus): void {
  const path = daemonFiles(store).status;
  const text = `${JSON.stringify(status, null, 2)}\n`;
  try {
    prepareReplacement(path, text).publish();
  } catch (cause) {
    if (!(cause instanceof SessionFsError) || !exists(path)) throw cause;
    writeOver(path, text);
  }
}

/** What the status file says; `undefined` when there is none. */
export function readStatus(store: Store): DaemonStatus | undefined {
  const path = daemonFiles(store).status;
  if (!exists(path)) return undefined;
  try {
    // Written by writeStatus alone.
    return JSON.parse(readBytes(path).toString('utf8')) as DaemonStatus;
  } catch {
    // Damaged: written anew by the next daemon.
    return undefined;
  }
}

/** The process id of the daemon that holds this store; `undefined` when none runs. */
export function runningDaemon(machine: Machine, store: Store): number | undefined {
  const { lock } = daemonFiles(store);
  const pid = Number((machine.readText(lock) ?? '').split('/')[0]);
  return Number.isInteger(pid) && pid > 0 && isDaemon(machine, store, pid) ? pid : undefined;
}

/** Does a process with this number run, and is it the daemon that last said so? */
export function isDaemon(machine: Machine, store: Store, pid: number): boolean {
  if (!machine.isRunning(pid)) return false;
  const status = readStatus(store);
  const mark = processMark(machine, pid);
  // A daemon between its lock and its first word is believed.
  return status?.pid !== pid || status.process_mark === null || mark === null || status.process_mark === mark;
}

/** When a process began, by the kernel's own count and the system's start; `null` where it does not say. */
export function processMark(machine: Machine, pid: number): string | null {
  try {
    const line = machine.readText(`/proc/${pid}/stat`);
    const boot = machine.readText('/proc/sys/kernel/random/boot_id');
    // The name in parentheses may hold anything; what follows are numbers, the start as the twentieth.
    const started = line?.slice(line.lastIndexOf(')') + 2).split(' ')[19];
    return started === undefined || boot === undefined ? null : `${boot.trim()}/${started}`;
  } catch {
    // Ended between the two, or hidden: not told.
    return null;
  }
}
