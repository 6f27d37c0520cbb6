import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { WatchedTree } from './watch.ts';
import { watchTree } from './watch.ts';

interface Watched {
  readonly root: string;
  readonly tree: WatchedTree;
  /** Waits until this path was told, and forgets all that was. */
  told(path: string): Promise<boolean>;
}

function watched(t: TestContext, prepare: (root: string) => void = () => undefined): Watched {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'sessionfs-watch-')));
  prepare(root);
  const heard = new Map<string, boolean>();
  let stir = (): void => undefined;
  const tree = watchTree(root, {
    changed: (path, isAppend) => {
      heard.set(path, isAppend && heard.get(path) !== false);
      stir();
    },
    flooded: () => undefined,
  });
  t.after(() => {
    tree.close();
    rmSync(root, { recursive: true, force: true });
  });
  return {
    root,
    tree,
    told: async (path) => {
      while (!heard.has(path)) {
        const waiting = Promise.withResolvers<void>();
        const giveUp = setTimeout(() => waiting.reject(new Error(`${path} was not told`)), 5000);
        stir = waiting.resolve;
        await waiting.promise;
        clearTimeout(giveUp);
      }
      const isAppend = heard.get(path) === true;
      heard.clear();
      return isAppend;
    },
  };
}

test('appends, new files, moves and removals are told', async (t) => {
  const { root, told } = watched(t, (folder) => writeFileSync(join(folder, 'old'), 'a'));
  appendFileSync(join(root, 'old'), 'b');
  assert.equal(await told(join(root, 'old')), true);
  writeFileSync(join(root, 'new'), 'a');
  assert.equal(await told(join(root, 'new')), false);
  renameSync(join(root, 'new'), join(root, 'moved'));
  await told(join(root, 'moved'));
  rmSync(join(root, 'moved'));
  await told(join(root, 'moved'));
});

test('files in folders that come, go and come again are told, and their folders are watched', async (t) => {
  const { root, told, tree } = watched(t);
  const deep = join(root, 'a', 'b', 'c');
  for (const text of ['one', 'two']) {
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, 'file'), text);
    await told(join(deep, 'file'));
    appendFileSync(join(deep, 'file'), text);
    await told(join(deep, 'file'));
    assert.deepEqual([tree.folders, tree.watched, tree.problem], [4, 4, undefined]);
    rmSync(join(root, 'a'), { recursive: true });
    await told(join(root, 'a'));
    assert.equal(tree.folders, 1);
  }
});

test('a look finds what was not told: new files and folders, and folders that are gone', async (t) => {
  const { root, told, tree } = watched(t, (folder) => mkdirSync(join(folder, 'kept')));
  // All of this happens before the system's word can be heard.
  writeFileSync(join(root, 'kept', 'new'), 'a');
  mkdirSync(join(root, 'added'));
  writeFileSync(join(root, 'added', 'file'), 'a');
  utimesSync(join(root, 'kept'), new Date(), new Date(Date.now() + 5000));
  tree.look();
  assert.equal(tree.folders, 3);
  assert.equal(await told(join(root, 'kept', 'new')), false);
  rmSync(join(root, 'added'), { recursive: true });
  tree.look();
  assert.equal(tree.folders, 2);
});
