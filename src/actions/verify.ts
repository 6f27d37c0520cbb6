/** Is everything in the store what was promised? Reads all of it and changes nothing. */

import { join } from 'node:path';
import { SessionFsError } from '../errors.ts';
import { decodeLine } from '../format/line.ts';
import { exists, namesIn } from '../io/files.ts';
import { linesInFile } from '../io/line-file.ts';
import type { Row } from '../io/machine.ts';
import { isObject } from '../model/json.ts';
import { sessionFolder, sessionIdsIn, storeExists } from '../store/store.ts';
import type { Mend } from '../store/verify.ts';
import { verifySession } from '../store/verify.ts';
import { findSession } from './find-session.ts';
import { indexRows, isInIndex } from './index-check.ts';
import type { Site } from './site.ts';
import type { Counted } from './storage.ts';
import { withIndex } from './with-index.ts';

/** `verify --json`. */
export interface Verification {
  /** Sessions that were read. */
  readonly sessions: number;
  readonly messages: number;
  readonly frames: number;
  /** Raw bytes of the archives that are right. */
  readonly bytes: number;
  readonly damaged: readonly Damaged[];
}

/** One thing that is not as it should be. */
export interface Damaged {
  /** `null`: of the store, not of a session. */
  readonly session_id: string | null;
  /** Absolute. */
  readonly path: string;
  readonly problem: string;
  /** What to type next. */
  readonly hint: string;
}

const indexHint = 'make the index again: sfs doctor --fix';

/** Verifies the sessions named, or all of them with the index and the ledger. Throws as `findSession`. */
export async function verifyStore(site: Site, named: readonly string[], report: Counted): Promise<Verification> {
  if (!storeExists(site.store)) return { sessions: 0, messages: 0, frames: 0, bytes: 0, damaged: [] };
  const ids =
    named.length === 0
      ? sessionIdsIn(site.store).toSorted()
      : await withIndex(site, { create: false }, (index) =>
          named.map((argument) => findSession(index, argument, site).session_id),
        );
  const damaged: Damaged[] = [];
  const sum = { sessions: 0, messages: 0, frames: 0, bytes: 0 };
  const rows = named.length === 0 ? readIndex(site, damaged) : undefined;
  for (const [done, id] of ids.entries()) {
    report(done, ids.length);
    const folder = sessionFolder(site.store, id);
    if (!exists(folder)) continue;
    const { damage, messages, frames, bytes } = verifySession(folder, id);
    sum.sessions += 1;
    sum.messages += messages;
    sum.frames += frames;
    sum.bytes += bytes;
    for (const { path, problem, mend } of damage)
      damaged.push({ session_id: id, path, problem, hint: hintFor(mend, id, folder) });
    // Where the directory is damaged, the row may well know better.
    if (rows !== undefined && damage.length === 0 && isInIndex(site, id, rows.get(id)) === false)
      damaged.push({
        session_id: id,
        path: site.store.index,
        problem: rows.has(id) ? 'says something else of it than its manifest' : 'does not have it',
        hint: indexHint,
      });
    rows?.delete(id);
  }
  report(ids.length, ids.length);
  for (const id of rows?.keys() ?? [])
    if (!exists(sessionFolder(site.store, id)))
      damaged.push({
        session_id: id,
        path: site.store.index,
        problem: 'has a session whose directory is not there',
        hint: indexHint,
      });
  if (named.length === 0) verifyLedger(site, damaged);
  return { ...sum, damaged };
}

function hintFor(mend: Mend, id: string, folder: string): string {
  const all = {
    anew: `put back a copy; or while its tool has it, move this one away and take it in anew: mv '${folder}' . && sfs import`,
    reparse: `make it again from the bytes that are kept: sfs reparse ${id}`,
    line: `have what it said again from the bytes that are kept: sfs reparse ${id}; the line itself stays`,
    copy: 'put back a copy of it, if there is one',
  } as const satisfies Record<Mend, string>;
  return all[mend];
}

/** What the index says of every session; `undefined` when it cannot be read, or is not there. */
function readIndex(site: Site, damaged: Damaged[]): Map<string, Row> | undefined {
  const rows = indexRows(site);
  if (rows !== 'unreadable' && rows !== 'other-version') return rows;
  damaged.push({
    session_id: null,
    path: site.store.index,
    problem: rows === 'unreadable' ? 'cannot be read' : 'was made by another version',
    hint: indexHint,
  });
  return undefined;
}

function verifyLedger({ store }: Site, damaged: Damaged[]): void {
  for (const name of namesIn(store.ledger).filter((file) => file.endsWith('.jsonl'))) {
    const path = join(store.ledger, name);
    try {
      let at = 0;
      for (const { bytes } of linesInFile(path)) {
        at += 1;
        if (bytes.length > 0 && !isObject(decodeLine(bytes.toString('utf8'))))
          damaged.push({
            session_id: null,
            path,
            problem: `line ${at} cannot be read; it counts for nothing`,
            hint: `look at it, and take the line out: ${path}`,
          });
      }
    } catch (cause) {
      if (!(cause instanceof SessionFsError)) throw cause;
      damaged.push({ session_id: null, path, problem: cause.message, hint: cause.hint ?? `look at it: ${path}` });
    }
  }
}
