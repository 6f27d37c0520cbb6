/** The files that a session touched cost nothing when a line touches none, however many they are, and none is ever lost. */

import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { adapters } from '../../src/adapters/index.ts';
import { captureAll } from '../../src/capture/capture.ts';
import { layout } from '../../src/format/layout.ts';
import { sessionId } from '../../src/model/ids.ts';
import { SessionIndex } from '../../src/store/session-index.ts';
import { prepareStore, sessionFolder } from '../../src/store/store.ts';
import { WriterMemory } from '../../src/store/writer-memory.ts';
import { half, sourcesOf } from '../support/growing.ts';
import { scratch } from '../support/scratch.ts';

const adapter = adapters.find(({ id }) => id === 'claude-code') ?? assert.fail('Claude Code is read');

/** What a store has of the files a session touched. */
interface Touched {
  /** Of `workspace.json`; another inode is another writing. */
  readonly inode: number;
  readonly paths: readonly string[];
  /** Names in `meta`, with the inode of each. */
  readonly lists: readonly string[];
}

interface Session {
  readonly cwd: string;
  readonly meta: string;
  /** Adds a prompt. */
  say(text: string): void;
  /** Adds a call that writes a file, and its result. */
  write(name: string): void;
  capture(memory?: WriterMemory): Promise<Touched>;
  readonly memory: WriterMemory;
  readonly project: () => string | null | undefined;
}

function session(t: TestContext): Session {
  const place = scratch(t);
  const { path, nativeId } = half(place, adapter);
  const { machine, store } = place.context;
  prepareStore(store);
  const index = SessionIndex.open(store, machine);
  t.after(() => index.close());
  const id = sessionId(adapter.id, nativeId);
  const meta = join(sessionFolder(store, id), 'meta');
  const withCwd = readFileSync(path, 'utf8')
    .split('\n')
    .find((line) => line.includes('"cwd"'));
  const { cwd } = JSON.parse(withCwd ?? '{}') as { readonly cwd: string };
  let rows = 0;
  const row = (role: 'user' | 'assistant', content: unknown): void => {
    rows += 1;
    const uuid = `${String(rows).padStart(8, '0')}-0000-4000-8000-000000000000`;
    const message = { role, id: uuid, model: 'made-up', content };
    const timestamp = '2026-11-01T00:00:00.000Z';
    appendFileSync(
      path,
      `${JSON.stringify({ type: role, uuid, parentUuid: null, sessionId: nativeId, timestamp, message })}\n`,
    );
  };
  return {
    cwd,
    meta,
    memory: new WriterMemory(machine),
    project: () => index.get(id)?.project,
    say: (text) => row('user', text),
    write: (name) => {
      const call = `toolu_0${name.replaceAll(/[^a-z0-9]/g, '')}`;
      row('assistant', [
        { type: 'tool_use', id: call, name: 'Write', input: { file_path: join(cwd, name), content: '' } },
      ]);
      row('user', [{ type: 'tool_result', tool_use_id: call, content: 'Written.' }]);
    },
    capture: async (memory) => {
      const source = sourcesOf(place, adapter).find((each) => each.nativeId === nativeId);
      assert.ok(source !== undefined);
      await captureAll(
        { machine, store, index, ...(memory === undefined ? {} : { memory }) },
        [{ adapter, source }],
        ({ outcome, problems }) =>
          assert.ok(outcome === 'new' || outcome === 'grown', `${outcome} ${JSON.stringify(problems)}`),
      );
      const workspace = join(sessionFolder(store, id), layout.workspace);
      const { files } = JSON.parse(readFileSync(workspace, 'utf8')) as { readonly files: readonly { path: string }[] };
      const lists = readdirSync(meta).filter((name) => name.startsWith('files.'));
      return {
        inode: statSync(workspace).ino,
        paths: files.map((file) => file.path),
        lists: lists.map((name) => `${name} ${statSync(join(meta, name)).ino}`),
      };
    },
  };
}

test('a process that remembers a session writes its workspace only when that changes', async (t) => {
  const { cwd, memory, say, write, capture, project } = session(t);
  const first = await capture(memory);
  say('Touch nothing.');
  assert.deepEqual(await capture(memory), first);
  write('new.txt');
  const touched = await capture(memory);
  assert.notEqual(touched.inode, first.inode);
  assert.deepEqual(touched.paths, [...first.paths, 'new.txt']);
  assert.deepEqual(touched.lists, []);
  assert.equal(project(), cwd);
});

test('many of them are in a file beside the commit, which is written again when one more is touched', async (t) => {
  const { meta, memory, say, write, capture } = session(t);
  const names = Array.from({ length: 400 }, (_, at) => `a/folder/with/a/name/${at}.txt`);
  for (const name of names) write(name);
  const first = await capture(memory);
  assert.deepEqual(first.paths.slice(-names.length), names);
  assert.equal(first.lists.length, 1);
  const commit = JSON.parse(readFileSync(join(meta, 'commit.json'), 'utf8')) as { readonly facts: object };
  assert.ok(!('files' in commit.facts));
  say('Touch nothing.');
  assert.deepEqual(await capture(memory), first);
  // A process that does not remember reads the list, and leaves it too.
  say('Touch nothing again.');
  const other = await capture();
  assert.deepEqual([other.paths, other.lists], [first.paths, first.lists]);
  write('one-more.txt');
  const more = await capture();
  assert.deepEqual(more.paths, [...first.paths, 'one-more.txt']);
  assert.equal(more.lists.length, 1);
  assert.notDeepEqual(more.lists, first.lists);
  say('And now?');
  assert.deepEqual((await capture(memory)).paths, more.paths);
});

test('a list that somebody removed: those touched from then on are there, and the session goes on', async (t) => {
  const { meta, say, write, capture } = session(t);
  for (let at = 0; at < 400; at += 1) write(`a/folder/with/a/name/${at}.txt`);
  await capture();
  for (const name of readdirSync(meta)) if (name.startsWith('files.')) rmSync(join(meta, name));
  say('What is left?');
  write('new.txt');
  assert.deepEqual((await capture()).paths, ['new.txt']);
});
