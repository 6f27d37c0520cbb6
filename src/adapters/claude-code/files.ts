/** Which files the calls of a session touched, as far as calls and results say. */

import { objectAt, stringAt } from '../../model/json.ts';
import type { SessionFacts } from '../adapter.ts';
import type { Results } from './content.ts';
import type { Row } from './native.ts';
import { idLimit } from './native.ts';
import type { Reading } from './reading.ts';
import { openFilesLimit, pushBounded } from './state.ts';
import type { OpenFile } from './state.ts';

const pathLimit = 400;
/** Files told within this many are not told again. */
const toldLimit = 16;

/** The calls that touch one file, and where its path stands in their input. */
const fileCalls: { readonly [name: string]: { readonly role: OpenFile['role']; readonly key: string } | undefined } = {
  Read: { role: 'read', key: 'file_path' },
  NotebookRead: { role: 'read', key: 'notebook_path' },
  Edit: { role: 'edited', key: 'file_path' },
  MultiEdit: { role: 'edited', key: 'file_path' },
  NotebookEdit: { role: 'edited', key: 'notebook_path' },
  Write: { role: 'written', key: 'file_path' },
};

/** Remembers a call until its result says whether it came to anything. */
export function noteCall(call: string, name: string, input: unknown, reading: Reading): void {
  const kind = Object.hasOwn(fileCalls, name) ? fileCalls[name] : undefined;
  if (kind === undefined || call.length > idLimit) return;
  const path = stringAt(input, kind.key);
  if (path === undefined || path === '' || path.length > pathLimit) return;
  pushBounded(reading.state.openFiles, { call, path, role: kind.role }, openFilesLimit);
}

/**
 * Tells the files of calls that succeeded.
 *
 *     "toolUseResult":{"type":"create","filePath":"/home/me/proj/b.txt","content":"…",…}
 */
export function noteResultFiles(row: Row, results: Results, reading: Reading): void {
  const { state, given } = reading;
  if (state.openFiles.length === 0) return;
  const files: { path: string; role: NonNullable<SessionFacts['files']>[number]['role'] }[] = [];
  for (const call of results.calls) {
    const index = state.openFiles.findIndex((open) => open.call === call);
    const open = state.openFiles[index];
    if (open === undefined) continue;
    state.openFiles.splice(index, 1);
    if (results.failed) continue;
    const created = open.role === 'written' && stringAt(objectAt(row, 'toolUseResult'), 'type') === 'create';
    const role = created ? 'created' : open.role;
    const told = `${role} ${open.path}`;
    if (state.files.includes(told)) continue;
    pushBounded(state.files, told, toldLimit);
    files.push({ path: open.path, role });
  }
  if (files.length > 0) given.sink.fact({ files });
}
