/** Writes a made session for a tool and reads it with the same tool's reader, without a disk. */

import assert from 'node:assert/strict';
import { translated } from '../../src/actions/live-session.ts';
import type { Adapter, Losses, SessionFacts, WriteGiven } from '../../src/adapters/adapter.ts';
import { adapters } from '../../src/adapters/index.ts';
import type { Message } from '../../src/model/message.ts';
import { Run } from '../support/run.ts';
import { liveView } from './sessions.ts';
import type { MadeSession } from './sessions.ts';

/** As if all of it were written at this time, in this folder. */
const given: Omit<WriteGiven, 'toolVersion'> = {
  home: '/home/someone/.tool',
  cwd: '/w',
  version: undefined,
  nativeId: '0195b1a0-7c3e-7a51-9b3d-2f6a0c4d8e11',
  now: '2026-11-23T05:18:37.260Z',
  extra: {},
};

/** What came of it. */
export interface RoundTrip {
  /** The live view as it is. */
  readonly live: readonly Message[];
  /** The same in the target's words: what was to be written. */
  readonly meant: readonly Message[];
  /** The live view as it was read. */
  readonly found: readonly Message[];
  readonly facts: SessionFacts;
  /** Counted by the writer and by the reader. */
  readonly losses: Losses;
}

/** Each line as a resume writes it, read as a capture reads it. */
export function writtenAndRead(target: Adapter, session: MadeSession): RoundTrip {
  assert.ok(target.writer !== undefined, `${target.name} can be written`);
  const { tool, title, git } = session;
  const source = adapters.find(({ id }) => id === tool);
  const live = liveView(session);
  const meant =
    source === undefined || source === target ? live : [...translated(live, source.vocabulary, target.vocabulary)];
  const written = target.writer.write(
    {
      sessionId: 'ses_0123456789abcdef',
      origin: { tool, name: source?.name ?? tool, nativeId: undefined, captured: true },
      title,
      git,
      messages: meant,
    },
    { ...given, toolVersion: target.writer.provenVersion },
  );
  const file = written.files.find(({ kind }) => kind !== 'text');
  assert.ok(file !== undefined);
  const run = new Run(target, written.nativeId, { key: file.key, path: `/${file.path}`, kind: 'log' });
  for (const { text, record } of file.lines) {
    assert.ok(!text.includes('\n'), 'a line is one line');
    // A clone, because a made object may have no prototype.
    if (record !== undefined) assert.deepEqual(structuredClone(record), JSON.parse(text));
    assert.notEqual(run.decode(JSON.parse(text)), 'unknown', text);
  }
  run.settle();
  const losses = new Map(written.losses);
  for (const [name, count] of run.losses) losses.set(name, (losses.get(name) ?? 0) + count);
  return { live, meant, found: run.live(), facts: run.facts, losses };
}
