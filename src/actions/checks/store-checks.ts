/** Checks of the store: who may read it, whether it can be written, what was left lying in it, and its index. */

import { dirname, join } from 'node:path';
import { SessionFsError } from '../../errors.ts';
import { layout } from '../../format/layout.ts';
import { exists, namesIn, remove } from '../../io/files.ts';
import { releaseLock, takeLock } from '../../io/lock.ts';
import { mayWrite, permissionsOf, setMode } from '../../io/permissions.ts';
import { roomAt } from '../../io/weigh.ts';
import { auditPath } from '../../store/audit.ts';
import { isUncommitted } from '../../store/session-reader.ts';
import { sessionFolder, sessionIdsBelow, sessionIdsIn, storeExists } from '../../store/store.ts';
import { indexDifferences, mendIndex } from '../index-check.ts';
import type { Check, Examination } from './check.ts';
import { fail, mended, ok, tried, warn } from './check.ts';

const lowBytes = 1e9;
const emptyBytes = 200e6;
const privateFolder = 0o700;
const privateFile = 0o600;
const others = 0o077;
/** What a process that still runs may be writing is left alone for so long, where its number is not known. */
const quietMs = 10 * 60_000;

/** All of them, in the order they are shown. */
export async function storeChecks(examination: Examination): Promise<Check[]> {
  const { store } = examination;
  if (!storeExists(store)) {
    const missing = ok('store', `nothing has been captured in ${store.root} yet: sfs import`);
    return [missing, diskCheck(nearest(dirname(store.root)))];
  }
  const checks: readonly (readonly [name: string, check: (examination: Examination) => Check | Promise<Check>])[] = [
    ['store', writableCheck],
    ['disk', () => diskCheck(store.root)],
    ...(examination.machine.platform === 'win32' ? [] : [['permissions', permissionsCheck] as const]),
    ['locks', locksCheck],
    ['leftovers', leftoversCheck],
    ['index', indexCheck],
  ];
  const made: Check[] = [];
  // One after the other: what one mends the next one sees.
  for (const [name, check] of checks) made.push(await tried(name, () => check(examination)));
  return made;
}

function nearest(path: string): string {
  return exists(path) || dirname(path) === path ? path : nearest(dirname(path));
}

function writableCheck({ store }: Examination): Check {
  const audit = auditPath(store);
  const wrong = [store.root, store.sessions, store.ledger, store.index, audit].find(
    (path) => exists(path) && !mayWrite(path),
  );
  if (wrong !== undefined)
    return fail('store', `${wrong} cannot be written: nothing more is captured`, `ls -ld '${wrong}'`);
  return ok('store', store.root);
}

function diskCheck(path: string): Check {
  const { freeBytes } = roomAt(path);
  const detail = `${gigabytes(freeBytes)} free`;
  const hint = 'make room: sfs storage, sfs prune --older-than 90d';
  if (freeBytes < emptyBytes) return fail('disk', `only ${detail}: capturing will soon fail`, hint);
  return freeBytes < lowBytes ? warn('disk', `only ${detail}`, hint) : ok('disk', detail);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** What others may read. While the root is closed, what lies below is closed too. */
async function permissionsCheck(examination: Examination): Promise<Check> {
  const { store } = examination;
  const name = 'permissions';
  const folders = [
    store.root,
    store.sessions,
    store.trash,
    store.ledger,
    ...['cache', 'placing', 'incoming'].map((folder) => join(store.root, folder)),
    ...sessionIdsIn(store).map((id) => sessionFolder(store, id)),
    ...sessionIdsBelow(store.trash).map((id) => join(store.trash, `${id}.sfs`)),
  ];
  const files = [store.root, store.ledger].flatMap((folder) =>
    namesIn(folder)
      .map((entry) => join(folder, entry))
      .filter((path) => !folders.includes(path)),
  );
  const isOpen = (path: string): boolean => ((permissionsOf(path)?.mode ?? 0) & others) !== 0;
  const open = [...folders.filter(isOpen), ...files.filter(isOpen)];
  if (permissionsOf(store.root)?.isOwn === false)
    return warn(name, `${store.root} belongs to another account`, `see whose it is: ls -ld '${store.root}'`);
  if (open.length === 0) return ok(name, 'only this account can read the store');
  const detail = `others may read ${open[0]}${open.length === 1 ? '' : ` and ${open.length - 1} more`}`;
  const found = open.includes(store.root) ? fail(name, detail, '') : warn(name, detail, '');
  return mended(examination, found, () => {
    for (const path of folders.filter(isOpen)) setMode(path, privateFolder);
    for (const path of files.filter(isOpen)) setMode(path, isFolder(examination, path) ? privateFolder : privateFile);
    return `closed ${open.length} files and folders to others`;
  });
}

function isFolder({ machine }: Examination, path: string): boolean {
  return machine.stat(path)?.kind === 'directory';
}

/** Locks of processes that are gone. Whoever needs one takes it over; until then they only look wrong. */
async function locksCheck(examination: Examination): Promise<Check> {
  const { store, machine } = examination;
  const stale = [
    ...sessionIdsIn(store).map((id) => join(sessionFolder(store, id), layout.lock)),
    `${auditPath(store)}.lock`,
  ].filter((path) => isStale(examination, path));
  if (stale.length === 0) return ok('locks', 'none is left by a process that is gone');
  const found = warn('locks', `${stale.length} left by processes that are gone: harmless, they are taken over`, '');
  return mended(examination, found, () => {
    for (const path of stale) if (takeLock(path, machine.isRunning)) releaseLock(path);
    return `removed ${stale.length}`;
  });
}

function isStale({ machine }: Examination, path: string): boolean {
  if (!exists(path)) return false;
  const holder = Number((machine.readText(path) ?? '').split('/')[0]);
  return !Number.isInteger(holder) || holder <= 0 || !machine.isRunning(holder);
}

/** What killed processes left unfinished; nothing reads it. */
async function leftoversCheck(examination: Examination): Promise<Check> {
  const { store } = examination;
  const left = [
    ...temporaryIn(examination, store.root),
    ...temporaryIn(examination, store.ledger),
    ...sessionIdsIn(store).flatMap((id) => {
      const folder = sessionFolder(store, id);
      if (isUncommitted(folder)) return isHeld(examination, folder) || isFresh(examination, folder) ? [] : [folder];
      return [...temporaryIn(examination, folder), ...temporaryIn(examination, join(folder, 'meta'))];
    }),
    ...unpackedIn(examination),
  ];
  if (left.length === 0) return ok('leftovers', 'nothing is left by work that was killed');
  const found = warn('leftovers', `${left.length} left by work that was killed: of no use to anybody`, '');
  return mended(examination, found, () => {
    for (const path of left) remove(path);
    return `removed ${left.length}`;
  });
}

/** `.<process>-<n>.tmp`, and what goes by another name while a session is held. */
function temporaryIn(examination: Examination, folder: string): string[] {
  return namesIn(folder).flatMap((name) => {
    if (!name.startsWith('.') || !name.endsWith('.tmp')) return [];
    const path = join(folder, name);
    const [, pid] = /^\.(\d+)-\d+\.tmp$/.exec(name) ?? [];
    const isInUse =
      pid === undefined
        ? isHeld(examination, folder) || isFresh(examination, path)
        : examination.machine.isRunning(Number(pid));
    return isInUse ? [] : [path];
  });
}

/** Archives that were being unpacked: `incoming/<process>-<id>`. */
function unpackedIn({ store, machine }: Examination): string[] {
  const incoming = join(store.root, 'incoming');
  return namesIn(incoming)
    .filter((name) => !machine.isRunning(Number(name.split('-')[0])))
    .map((name) => join(incoming, name));
}

function isHeld(examination: Examination, folder: string): boolean {
  const lock = join(folder, layout.lock);
  return exists(lock) && !isStale(examination, lock);
}

function isFresh({ machine }: Examination, path: string): boolean {
  const info = machine.stat(path);
  return info !== undefined && machine.now().getTime() - info.modifiedMs < quietMs;
}

/** The index is a cache: whatever is wrong with it, it is made again. */
async function indexCheck(examination: Examination): Promise<Check> {
  const found = indexDifferences(examination);
  if (found === undefined) return ok('index', 'there is none: the next command makes it');
  if (found === 'unreadable' || found === 'other-version')
    return mended(
      examination,
      warn(
        'index',
        `${found === 'unreadable' ? 'it cannot be read' : 'another version made it'}: the next command makes it again`,
        '',
      ),
      () => mendIndex(examination, found),
    );
  const { same, missing, differing, superfluous, unreadable } = found;
  const wrong = missing.length + differing.length + superfluous.length;
  const damaged = unreadable.length === 0 ? '' : `; ${unreadable.length} sessions cannot be read`;
  if (wrong === 0)
    return unreadable.length === 0
      ? ok('index', `it has all ${same} sessions`)
      : warn('index', `${same} sessions${damaged}`, 'see what is damaged: sfs verify');
  return mended(
    examination,
    warn(
      'index',
      `of ${same + missing.length + differing.length} sessions ${missing.length} are not in it and ${differing.length} are otherwise there; ${superfluous.length} are there too many${damaged}`,
      '',
    ),
    () => mendIndex(examination, found),
  );
}

/** The configuration is read for itself: one that is wrong must not keep the others from being examined. */
export function configCheck(examination: Examination, problem: SessionFsError | undefined): Check {
  const { store, config, adapters } = examination;
  if (problem !== undefined)
    return fail('config', problem.message, problem.hint ?? `correct it with an editor: ${store.config}`);
  const known = new Set(adapters.flatMap(({ id, aliases }) => [id, ...aliases]));
  const unknown = Object.entries(config.tools).find(
    ([section, { enabled, home_dir: home }]) => !known.has(section) && (enabled ?? home) !== undefined,
  );
  if (unknown !== undefined)
    return warn(
      'config',
      `[${unknown[0]}] names no tool, so what is set there has no effect`,
      `name one of: ${adapters.map(({ id }) => id).join(', ')}`,
    );
  return ok('config', exists(store.config) ? store.config : 'nothing is set');
}
