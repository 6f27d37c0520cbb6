/** Starting, stopping and asking a daemon from another process. */

import { SessionFsError } from '../errors.ts';
import { daemonArgv, signal, startDetached } from '../io/detached.ts';
import { keepLock, releaseLock, takeLock } from '../io/lock.ts';
import type { Machine } from '../io/machine.ts';
import type { Store } from '../store/store.ts';
import { prepareStore } from '../store/store.ts';
import type { DaemonStatus } from './status.ts';
import { daemonFiles, isDaemon, readStatus, runningDaemon } from './status.ts';

/** Where a daemon works. */
export interface DaemonSite {
  readonly machine: Machine;
  readonly store: Store;
}

/** How long a start or a stop may take: a large write in hand is finished. Milliseconds. */
const patienceMs = 60_000;
const stepMs = 20;

/** What the running daemon says of itself; `undefined` when none runs. */
export function daemonStatus({ machine, store }: DaemonSite): DaemonStatus | undefined {
  const pid = runningDaemon(machine, store);
  if (pid === undefined) return undefined;
  const status = readStatus(store);
  return status?.pid === pid ? status : undefined;
}

/** What can be said of the daemon of a store, whether it runs or not. */
export function daemonFacts({ machine, store }: DaemonSite): {
  readonly pid: number | undefined;
  readonly status: DaemonStatus | undefined;
  /** Takes away the lock of one that is gone; `false` when there is none. Without `fix`: is there one? */
  sweepLock(fix: boolean): boolean;
} {
  const { lock } = daemonFiles(store);
  const pid = runningDaemon(machine, store);
  return {
    pid,
    status: readStatus(store),
    sweepLock: (fix) => {
      if (pid !== undefined || machine.stat(lock) === undefined) return false;
      if (fix && takeLock(lock, (holder) => isDaemon(machine, store, holder))) releaseLock(lock);
      return true;
    },
  };
}

/**
 * Takes the store for this process, for as long as `work` goes on; `hold` takes it again when somebody removed the lock. Both throw
 * `daemon-running` when another process has it.
 */
export async function asDaemon<T>({ machine, store }: DaemonSite, work: (hold: () => void) => Promise<T>): Promise<T> {
  const { lock } = daemonFiles(store);
  const isRunning = (pid: number): boolean => isDaemon(machine, store, pid);
  prepareStore(store);
  if (!takeLock(lock, isRunning)) throw runningError(runningDaemon(machine, store));
  let isOurs = true;
  try {
    return await work(() => {
      isOurs = keepLock(lock, isRunning);
      if (!isOurs) throw runningError(runningDaemon(machine, store));
    });
  } finally {
    if (isOurs) releaseLock(lock);
  }
}

/** Starts `sfsd` and waits until it watches. Throws `daemon-running`; `failed` with what it said when it ends at once. */
export async function startDaemon(site: DaemonSite): Promise<DaemonStatus> {
  const { machine, store } = site;
  const running = runningDaemon(machine, store);
  if (running !== undefined) throw runningError(running);
  const started = startDetached(daemonArgv(), machine.env);
  try {
    for (const until = performance.now() + patienceMs; performance.now() < until;) {
      const status = readStatus(store);
      if (status !== undefined && status.pid === started.pid && status.state === 'watching') return status;
      if (started.hasEnded()) break;
      await pause(stepMs);
    }
    const said = started.said().trim();
    throw new SessionFsError(
      'failed',
      `the daemon did not start${said === '' ? '' : `: ${said.replace(/^sfsd: /, '')}`}`,
      'see what it did: sfs daemon logs',
    );
  } finally {
    started.leave();
  }
}

/** Ends the daemon and waits until it has finished what it was writing; its process id. Throws `daemon-not-running`. */
export async function stopDaemon({ machine, store }: DaemonSite): Promise<number> {
  const pid = runningDaemon(machine, store);
  if (pid === undefined) throw notRunning();
  signal(pid, 'SIGTERM');
  for (const until = performance.now() + patienceMs; performance.now() < until;) {
    if (runningDaemon(machine, store) !== pid) return pid;
    await pause(stepMs);
  }
  throw new SessionFsError(
    'failed',
    `the daemon (process ${pid}) does not end`,
    `see what it does: sfs daemon logs; end it by force, nothing is lost by it: kill -9 ${pid}`,
  );
}

/** There is no daemon to ask. */
export function notRunning(): SessionFsError {
  return new SessionFsError('daemon-not-running', 'no daemon is running', 'start it: sfs daemon start');
}

function runningError(pid: number | undefined): SessionFsError {
  return new SessionFsError(
    'daemon-running',
    `a daemon is running already${pid === undefined ? '' : ` (process ${pid})`}`,
    'see what it does: sfs daemon status; end it: sfs daemon stop',
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
