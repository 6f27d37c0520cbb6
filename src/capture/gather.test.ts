import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { systemMachine } from '../io/system.ts';
import type { Manifest } from '../model/manifest.ts';
import type { Message } from '../model/message.ts';
import { textOf } from '../model/message.ts';
import { SessionReader } from '../store/session-reader.ts';
import { commitAll, openForWriting } from '../store/session-writer.ts';
import type { Store } from '../store/store.ts';
import { prepareStore, storeAt } from '../store/store.ts';
import { Gathering } from './gather.ts';

const id = 'ses_0123456789abcdef';
const manifest: Manifest = {
  sfs_version: '0.1.0',
  session_id: id,
  created_at: '2026-01-01T00:00:00.000Z',
  source: { tool: 'diary' },
};
const said = (text: string, msg = 'm1', parent: string | null = null): Message => ({
  msg_id: msg,
  parent_msg_id: parent,
  role: 'assistant',
  content: [{ type: 'text', text }],
  timestamp: '2026-01-01T00:00:00.000Z',
});

function storeIn(t: TestContext): {
  readonly store: Store;
  readonly gather: (work: (gathering: Gathering) => void) => Promise<number>;
  readonly texts: () => string[];
} {
  const home = mkdtempSync(join(tmpdir(), 'sessionfs-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const machine = systemMachine({ env: {}, homeDir: home });
  const store = storeAt(machine);
  prepareStore(store);
  return {
    store,
    gather: async (work) => {
      const writer = openForWriting(store, machine, id);
      const gathering = new Gathering(writer);
      work(gathering);
      gathering.finish();
      const staged = writer.stage(
        { ...writer.before, tally: gathering.tally },
        { manifest, workspace: undefined, tools: undefined },
      );
      const { failed } = await commitAll([staged]);
      assert.deepEqual(failed, []);
      return gathering.added;
    },
    texts: () => SessionReader.open(store, id).timeline().toArray().map(textOf),
  };
}

test('a later form of a message is a revision, and the newest one counts', async (t) => {
  const { gather, texts, store } = storeIn(t);
  assert.equal(await gather((all) => ['draft', 'final'].forEach((text) => all.message(said(text)))), 2);
  assert.deepEqual(texts(), ['final']);
  assert.equal(await gather((all) => all.message(said('final'))), 0);
  assert.equal(await gather((all) => all.message(said('draft'))), 1);
  assert.deepEqual(texts(), ['draft'], 'a source that grew by an older form means it');
  const reader = SessionReader.open(store, id);
  assert.deepEqual(
    [...reader.live()].map(({ msg_id: own, metadata }) => [own, metadata?.revises]),
    [['m1', undefined]],
  );
});

test('a source read from its beginning again brings no older form back', async (t) => {
  const { gather, texts } = storeIn(t);
  const forms = ['draft', 'second', 'final'];
  await gather((all) => forms.forEach((text) => all.message(said(text))));
  const again = await gather((all) => {
    all.rereading = true;
    for (const text of forms) all.message(said(text));
    all.message(said('newest'));
  });
  assert.equal(again, 1);
  assert.deepEqual(texts(), ['newest']);
});

test('a leaf that says what is so without it is not written, another one is', async (t) => {
  const { gather, store } = storeIn(t);
  await gather((all) => {
    all.message(said('one'));
    all.message(said('two', 'm2', 'm1'));
    all.live({ op: 'leaf', id: 'm2' });
  });
  const reader = SessionReader.open(store, id);
  assert.deepEqual([reader.commit?.liveBytes, reader.liveIds()], [0, ['m1', 'm2']]);
  await gather((all) => all.live({ op: 'rewind', id: 'm1' }));
  assert.deepEqual(SessionReader.open(store, id).liveIds(), ['m1']);
});
