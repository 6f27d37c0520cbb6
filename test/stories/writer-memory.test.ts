/** A process that captures a session again and again reads little of it, and is never wrong about it. */

import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { adapters } from '../../src/adapters/index.ts';
import { captureAll } from '../../src/capture/capture.ts';
import { SessionIndex } from '../../src/store/session-index.ts';
import { layout } from '../../src/format/layout.ts';
import { sessionId } from '../../src/model/ids.ts';
import { emptyCommit } from '../../src/store/session-writer.ts';
import { prepareStore, sessionFolder } from '../../src/store/store.ts';
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

test('a session remembered writes its workspace only when that changes', async (t) => {
  const [adapter] = adapters;
  assert.ok(adapter !== undefined);
  const place = scratch(t);
  const { path, nativeId } = half(place, adapter);
  const { machine, store } = place.context;
  prepareStore(store);
  const index = SessionIndex.open(store, machine);
  t.after(() => index.close());
  const memory = new WriterMemory(machine);
  const capture = async (): Promise<{ readonly inode: number; readonly files: readonly string[] }> => {
    const source = sourcesOf(place, adapter).find((each) => each.nativeId === nativeId);
    assert.ok(source !== undefined);
    await captureAll({ machine, store, index, memory }, [{ adapter, source }], ({ outcome, problems }) =>
      assert.ok(outcome === 'new' || outcome === 'grown', `${outcome} ${JSON.stringify(problems)}`),
    );
    const at = join(sessionFolder(store, sessionId(adapter.id, nativeId)), layout.workspace);
    const { files } = JSON.parse(readFileSync(at, 'utf8')) as { readonly files: readonly { readonly path: string }[] };
    return { inode: statSync(at).ino, files: files.map((file) => file.path) };
  };
  const say = (role: 'user' | 'assistant', uuid: string, content: unknown): void =>
    appendFileSync(
      path,
      `${JSON.stringify({
        type: role,
        uuid,
        parentUuid: null,
        sessionId: nativeId,
        timestamp: '2026-11-01T00:00:00.000Z',
        message: { role, id: uuid, model: 'made-up', content },
      })}\n`,
    );
  const first = await capture();
  say('user', 'aaaaaaaa-0000-4000-8000-000000000000', 'Touch nothing.');
  assert.deepEqual(await capture(), first);
  const { cwd = '' } = JSON.parse(
    readFileSync(path, 'utf8')
      .split('\n')
      .find((line) => line.includes('"cwd"')) ?? '{}',
  ) as { readonly cwd?: string };
  const input = { file_path: join(cwd, 'new.txt'), content: 'new' };
  say('assistant', 'bbbbbbbb-0000-4000-8000-000000000000', [
    { type: 'tool_use', id: 'toolu_0new', name: 'Write', input },
  ]);
  say('user', 'cccccccc-0000-4000-8000-000000000000', [
    { type: 'tool_result', tool_use_id: 'toolu_0new', content: 'Written.' },
  ]);
  const touched = await capture();
  assert.notEqual(touched.inode, first.inode);
  assert.deepEqual(touched.files, [...first.files, 'new.txt']);
  assert.equal(index.get(sessionId(adapter.id, nativeId))?.project, cwd);
});

test('what is remembered holds for one commit, and the oldest is forgotten first', (t) => {
  const place = scratch(t);
  const { machine } = place.context;
  const memory = new WriterMemory(machine);
  const folders = ['a', 'b', 'c'].map((name) => `${place.project}/${name}`);
  const known = (title: string): Known => ({
    commit: { ...emptyCommit(), promptTitle: title },
    commitBytes: 2.2e6,
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
