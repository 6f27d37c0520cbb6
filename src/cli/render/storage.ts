/** What the store takes, as a person reads it. */

import { basename } from 'node:path';
import type { Storage, WeighedSession } from '../../actions/storage.ts';
import { table } from './table.ts';
import { agoText, counted, grouped, homeText, oneLine, sizeText } from './text.ts';

/** How it is shown. */
export interface StorageView {
  readonly now: Date;
  readonly homeDir: string;
  readonly width: number;
}

/** A line of sums, then tables by part, tool, project and session. */
export function storageLines(storage: Storage, { now, homeDir, width }: StorageView): string[] {
  const { parts, duplicates, disk } = storage;
  const part = (name: string, bytes: number, note: string): string[][] =>
    bytes === 0 ? [] : [[name, sizeText(bytes), note]];
  const takes = { heading: 'TAKES', align: 'right' as const };
  const count = { heading: 'SESSIONS', align: 'right' as const };
  return [
    `${homeText(storage.store, homeDir)} takes ${sizeText(storage.bytes)}: ${counted(storage.session_count, 'session')}. On its disk ${sizeText(disk.free_bytes)} of ${sizeText(disk.total_bytes)} are free.`,
    '',
    ...table(
      [{ heading: 'WHAT' }, takes, { heading: '', flexible: true }],
      [
        ...part('native', parts.native, 'the tools’ own bytes'),
        ...part('older native', parts.older, 'what a tool has overwritten since'),
        ...part('messages', parts.messages, 'what was said'),
        ...part('checkpoints', parts.checkpoints, ''),
        ...part('bookkeeping', parts.bookkeeping, 'folders, and what capture goes on from'),
        ...part('index', parts.index, 'made again when it is removed'),
        ...part('trash', parts.trash, `${counted(storage.trash_count, 'session')}; frees it: sfs trash empty`),
        ...part('other', parts.other, 'ledger, logs, configuration, compiled code'),
      ],
      width,
    ),
    '',
    ...table(
      [{ heading: 'TOOL' }, count, takes],
      storage.tools.map((tool) => [oneLine(tool.tool), grouped(tool.session_count), sizeText(tool.bytes)]),
      width,
    ),
    '',
    ...table(
      [{ heading: 'PROJECT', flexible: true }, count, takes],
      storage.projects.map((project) => [
        project.project === null ? '(none)' : oneLine(homeText(project.project, homeDir)),
        grouped(project.session_count),
        sizeText(project.bytes),
      ]),
      width,
    ),
    '',
    ...weighedTable(storage.largest, { now, width }),
    ...(duplicates.session_count === 0
      ? []
      : [
          '',
          `${counted(duplicates.session_count, 'session is', 'sessions are')} here more than once, taken in beside what was captured: ${sizeText(duplicates.bytes)}.`,
        ]),
    '',
    'To make room: sfs prune --older-than 90d',
  ];
}

/** Sessions and what each takes. */
export function weighedTable(
  sessions: readonly WeighedSession[],
  { now, width }: Pick<StorageView, 'now' | 'width'>,
): string[] {
  return table(
    [
      { heading: 'ID' },
      { heading: 'TOOL', gives: 3 },
      { heading: 'TITLE', flexible: true, least: 12 },
      { heading: 'PROJECT', flexible: true, gives: 1 },
      { heading: 'TAKES', align: 'right' },
      { heading: 'UPDATED', gives: 2 },
    ],
    sessions.map((session) => [
      session.session_id.slice('ses_'.length),
      oneLine(session.tool),
      oneLine(session.title ?? '(untitled)') + (session.ghost ? ' †' : ''),
      session.project === null ? '' : oneLine(basename(session.project)),
      sizeText(session.bytes),
      agoText(session.updated_at, now),
    ]),
    width,
  );
}
