/** A process that captures a session again and again reads little of it, and is never wrong about it. */

import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { renameSession } from '../../src/actions/registers.ts';
import { adapters } from '../../src/adapters/index.ts';
import { captureAll } from '../../src/capture/capture.ts';
import { SessionReader } from '../../src/store/session-reader.ts';
import { SessionIndex } from '../../src/store/session-index.ts';
import { layout } from '../../src/format/layout.ts';
import { sessionId } from '../../src/model/ids.ts';
import { emptyCommit } from '../../src/store/session-writer.ts';
import { prepareStore } from '../../src/store/store.ts';
import type { Known } from '../../src/store/writer-memory.ts';
import { WriterMemory } from '../../src/store/writer-memory.ts';
import { atOnce, half, kept, sourcesOf } from '../support/growing.ts';
import { scratch } from '../support/scratch.ts';

for (const adapter of adapters.filter(({ reader }) => reader.load === undefined)) {
  test(`${adapter.name}: two processes take turns, one remembers and one does not`, async (t) => {
    const place = scratch(t);
    const { path, rest } = half(place, adapter);
    const { machine, store } = place.context;
    prepareStore(store);
    const index = SessionIndex.open(store, machine);
    t.after(() => index.close());
    const memory = new WriterMemory(machine);
    const capture = (withMemory: boolean): Promise<void> =>
      captureAll(
        { machine, store, index, ...(withMemory ? { memory } : {}) },
        sourcesOf(place, adapter).map((source) => ({ adapter, source })),
        ({ outcome, problems }) => assert.notEqual(outcome, 'failed', JSON.stringify(problems)),
      );
    await capture(true);
    for (const [at, line] of rest.entries()) {
      appendFileSync(path, line);
      // Runs of both, and turns of one line each.
      await capture(at % 7 < 3 || at % 2 === 0);
    }
    assert.deepEqual(await kept(place), await atOnce(t, adapter, place));
  });
}

test('a title that a person sets in between stays, and so does what came before it', async (t) => {
  const [adapter] = adapters;
  assert.ok(adapter !== undefined);
  const place = scratch(t);
  const { path, nativeId, rest } = half(place, adapter);
  const { machine, store } = place.context;
  prepareStore(store);
  const index = SessionIndex.open(store, machine);
  t.after(() => index.close());
  const memory = new WriterMemory(machine);
  const capture = async (): Promise<void> => {
    const found = sourcesOf(place, adapter).map((source) => ({ adapter, source }));
    await captureAll({ machine, store, index, memory }, found, () => undefined);
  };
  await capture();
  const id = sessionId(adapter.id, nativeId);
  await renameSession(place.context, id, 'Called by hand');
  for (const line of rest) {
    appendFileSync(path, line);
    await capture();
    assert.equal(SessionReader.open(store, id).manifest.title, 'Called by hand');
  }
});

test('what is remembered holds for one commit, and the oldest is forgotten first', (t) => {
  const place = scratch(t);
  const { machine } = place.context;
  const memory = new WriterMemory(machine);
  const folders = ['a', 'b', 'c'].map((name) => `${place.project}/${name}`);
  const known = (title: string): Known => ({
    commit: { ...emptyCommit(), promptTitle: title },
    manifest: undefined,
    textLength: 3e6,
    offsets: undefined,
    keys: undefined,
  });
  for (const [at, folder] of folders.entries()) {
    writeCommit(folder, 'x');
    memory.keep(`ses_${at}`, folder, known(String(at)));
  }
  assert.equal(memory.take('ses_0', folders[0] ?? ''), undefined);
  assert.equal(memory.take('ses_1', folders[1] ?? '')?.commit.promptTitle, '1');
  assert.equal(memory.take('ses_1', folders[1] ?? ''), undefined);
  writeCommit(folders[2] ?? '', 'another');
  assert.equal(memory.take('ses_2', folders[2] ?? ''), undefined);
});

function writeCommit(folder: string, text: string): void {
  const path = join(folder, layout.commit);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
