/** Whatever is damaged in the store is found, named, and nothing is changed by looking; what can be mended is by what is said. */

import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { reparseSessions } from '../../src/actions/reparse.ts';
import { openSession } from '../../src/actions/show.ts';
import type { Verification } from '../../src/actions/verify.ts';
import { verifyStore } from '../../src/actions/verify.ts';
import { adapters } from '../../src/adapters/index.ts';
import { sfs } from '../support/command-line.ts';
import type { Scratch } from '../support/scratch.ts';
import { installRecording, recordingsOf, scratch, writable } from '../support/scratch.ts';

const [only] = adapters;
assert.ok(only !== undefined);
const first = only;
const quiet = (): void => undefined;

function done(place: Scratch, args: readonly string[]): string {
  const ran = sfs(place, args);
  assert.equal(ran.status, 0, ran.err);
  return ran.out;
}

function verified(place: Scratch, ...named: readonly string[]): Promise<Verification> {
  return verifyStore(place.context, named, quiet);
}

function filesBelow(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter(
        (entry) => entry.isFile() && !/^index\.db-(wal|shm)$/.test(entry.name) && !entry.parentPath.includes('/cache'),
      )
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(folder.length), readFileSync(path, 'base64')]),
  );
}

/** The largest session of a store that was filled with the first tool's recording. */
async function filled(t: Parameters<typeof scratch>[0]): Promise<{
  readonly place: Scratch;
  readonly id: string;
  readonly folder: string;
}> {
  const place = scratch(t);
  installRecording(place, first, recordingsOf(first).at(-1) ?? '');
  await importSessions(place.context, {}, quiet);
  const [session] = (await listSessions(place.context, { sort: 'messages' })).sessions;
  const id = session?.session_id ?? '';
  return { place, id, folder: join(place.context.store.sessions, `${id}.sfs`) };
}

describe('what is whole is found whole', () => {
  for (const adapter of adapters)
    test(`${adapter.name}: every recording, captured, grown and rewritten`, async (t) => {
      const place = scratch(t);
      for (const recording of recordingsOf(adapter)) {
        installRecording(place, adapter, recording);
        await importSessions(place.context, {}, quiet);
      }
      const { damaged, sessions, bytes, frames, messages } = await verified(place);
      assert.deepEqual(damaged, []);
      assert.equal(sessions, readdirSync(place.context.store.sessions).length);
      assert.ok(bytes > 0 && frames > 0 && messages > 0);
    });

  test('resumed, forked, taken in, marked, deleted and derived again', async (t) => {
    const { place, id } = await filled(t);
    for (const adapter of writable)
      done(place, ['resume', id, '--in', adapter.id, '--project', place.project, '--no-launch', '--json']);
    done(place, ['checkpoint', id, '--name', 'here']);
    done(place, ['fork', id, '--name', 'Fork', '--from-checkpoint', 'here']);
    done(place, ['tag', id, 'dear']);
    const exported = JSON.parse(done(place, ['export', id, '--output', place.folder, '--json'])) as { files: string[] };
    done(place, ['import', exported.files[0] ?? '']);
    done(place, ['reparse', '--all']);
    done(place, ['delete', '@last']);
    done(place, ['import']);
    assert.deepEqual((await verified(place)).damaged, []);
  });

  test('a document that was written whole many times', async (t) => {
    const place = scratch(t);
    const home = installRecording(place, first, recordingsOf(first)[0] ?? '');
    const log = readdirSync(home, { recursive: true, encoding: 'utf8' })
      .map((name) => join(home, name))
      .find((path) => path.endsWith('.jsonl') && readFileSync(path, 'utf8').split('\n').length > 6);
    assert.ok(log !== undefined);
    const lines = readFileSync(log, 'utf8').split('\n');
    for (let from = 0; from < 5; from += 1) {
      writeFileSync(log, lines.slice(from).join('\n'));
      await importSessions(place.context, {}, quiet);
    }
    assert.deepEqual((await verified(place)).damaged, []);
    const patches = (): string[] =>
      readdirSync(place.context.store.sessions, { recursive: true, encoding: 'utf8' }).filter((name) =>
        /\/patch\.\d+$/.test(name),
      );
    const [patch] = patches();
    assert.ok(patch !== undefined);
    const path = join(place.context.store.sessions, patch);
    writeFileSync(path, readFileSync(path).fill(7, 10, 14));
    const { damaged } = await verified(place);
    assert.match(damaged[0]?.path ?? '', /\/native\/main\/\d+$/);
    assert.equal(damaged[0]?.hint, 'put back a copy of it, if there is one');
  });
});

type Mends = 'reparse' | 'anew' | 'but for the line';

/** How each part is damaged, which file is named, and whether what is said mends it. */
const damages: Readonly<
  Record<
    string,
    { readonly part: string; readonly problem: RegExp; readonly mends: Mends; damage(folder: string): void }
  >
> = {
  'a flipped byte in a frame': {
    part: 'native/main/0',
    problem: /frames\.zst is damaged at byte 0$/,
    mends: 'anew',
    damage: (folder) => {
      const path = join(folder, 'native/main/0/frames.zst');
      const bytes = readFileSync(path);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      writeFileSync(path, bytes);
    },
  },
  'an archive that is cut off': {
    part: 'native/main/0',
    problem: /frames\.zst is damaged at byte 0$/,
    mends: 'anew',
    damage: (folder) => truncateSync(join(folder, 'native/main/0/frames.zst'), 100),
  },
  'an archive that is gone': {
    part: 'native/main/0',
    problem: /cannot read .*frames\.zst/,
    mends: 'anew',
    damage: (folder) => rmSync(join(folder, 'native/main/0'), { recursive: true }),
  },
  'messages that are cut off': {
    part: 'messages.jsonl',
    problem: /^has 100 bytes of the \d+ that were promised$/,
    mends: 'reparse',
    damage: (folder) => truncateSync(join(folder, 'messages.jsonl'), 100),
  },
  'messages that are gone': {
    part: 'messages.jsonl',
    problem: /^is missing$/,
    mends: 'reparse',
    damage: (folder) => rmSync(join(folder, 'messages.jsonl')),
  },
  'a message that is none': {
    part: 'messages.jsonl',
    problem: /^line 2 cannot be read$/,
    mends: 'but for the line',
    damage: (folder) => {
      const path = join(folder, 'messages.jsonl');
      const [one = '', two = '', ...rest] = readFileSync(path, 'utf8').split('\n');
      writeFileSync(path, [one, '#'.repeat(Buffer.byteLength(two)), ...rest].join('\n'));
    },
  },
  'a live view that is cut off': {
    part: 'meta/live.jsonl',
    problem: /^has 5 bytes of the \d+ that were promised$/,
    mends: 'reparse',
    damage: (folder) => truncateSync(join(folder, 'meta/live.jsonl'), 5),
  },
  'keys that are cut off': {
    part: 'meta/keys.jsonl',
    problem: /^has 5 bytes of the \d+ that were promised$/,
    mends: 'reparse',
    damage: (folder) => {
      // As of a session that has too many for its commit.
      writeFileSync(join(folder, 'meta/keys.jsonl'), '["a",');
      const path = join(folder, 'meta/commit.json');
      writeFileSync(path, readFileSync(path, 'utf8').replace('"keysBytes":0', '"keysBytes":640'));
    },
  },
  'an empty manifest': {
    part: 'manifest.json',
    problem: /^is not a JSON object$/,
    mends: 'anew',
    damage: (folder) => writeFileSync(join(folder, 'manifest.json'), ''),
  },
  'a workspace that is none': {
    part: 'workspace.json',
    problem: /^is no JSON$/,
    mends: 'reparse',
    damage: (folder) => writeFileSync(join(folder, 'workspace.json'), '{"root_path":'),
  },
  'a cursor that is not where it was': {
    part: 'meta/commit.json',
    problem: /^what is kept before the cursor of main is not what was read$/,
    mends: 'anew',
    damage: (folder) => {
      const path = join(folder, 'meta/commit.json');
      writeFileSync(path, readFileSync(path, 'utf8').replace(/"guard":"[0-9a-f]{64}"/, `"guard":"${'0'.repeat(64)}"`));
    },
  },
  'a cursor behind the end': {
    part: 'meta/commit.json',
    problem: /^the cursor of main stands behind the end of what is kept$/,
    mends: 'anew',
    damage: (folder) => {
      const path = join(folder, 'meta/commit.json');
      writeFileSync(path, readFileSync(path, 'utf8').replace(/"offset":\d+/, '"offset":99999999'));
    },
  },
  'a commit that is gone': {
    part: 'meta/commit.json',
    problem: /^is missing$/,
    mends: 'anew',
    damage: (folder) => rmSync(join(folder, 'meta/commit.json')),
  },
  'a commit that is none': {
    part: 'meta/commit.json',
    problem: /^is no commit$/,
    mends: 'anew',
    damage: (folder) => writeFileSync(join(folder, 'meta/commit.json'), '{}'),
  },
};

describe('what is damaged is found, named, and left as it is', () => {
  for (const [name, { part, problem, damage, mends }] of Object.entries(damages))
    test(name, async (t) => {
      const { place, id, folder } = await filled(t);
      const messages = async (): Promise<unknown[]> => {
        const { reader, shown } = await openSession(place.context, id);
        return [
          shown.message_count,
          ...Array.from(reader.timeline()).toSorted((a, b) => (a.msg_id < b.msg_id ? -1 : 1)),
        ];
      };
      const before = await messages();
      assert.ok(before.length > 1);
      damage(folder);
      const files = filesBelow(place.context.store.root);
      const { damaged } = await verified(place);
      assert.deepEqual(filesBelow(place.context.store.root), files);
      const own = damaged.filter(({ path }) => path === join(folder, part));
      assert.equal(own.length, 1, JSON.stringify(damaged, null, 2));
      assert.ok(damaged.every(({ session_id: one }) => one === id));
      assert.match(own[0]?.problem ?? '', problem);
      assert.deepEqual((await verified(place, id)).damaged, damaged);

      const hint = own[0]?.hint ?? '';
      if (mends === 'anew') {
        assert.ok(hint.endsWith(`: mv '${folder}' . && sfs import`), hint);
        renameSync(folder, join(place.folder, 'damaged'));
        await importSessions(place.context, {}, quiet);
      } else {
        assert.match(hint, new RegExp(`: sfs reparse ${id}(; the line itself stays)?$`));
        const [reparsed] = await reparseSessions(place.context, { session: id, all: false, dryRun: false }, quiet);
        assert.equal(reparsed?.outcome, 'changed');
      }
      assert.deepEqual(
        (await verified(place)).damaged.map(({ problem: left }) => left),
        mends === 'but for the line' ? [own[0]?.problem] : [],
      );
      assert.deepEqual(await messages(), before);
    });

  test('on the command line: what it says, and how it ends', async (t) => {
    const { place, id, folder } = await filled(t);
    assert.match(done(place, ['verify']), /^\d+ sessions?, .*: all as it was promised\.\n$/);
    truncateSync(join(folder, 'messages.jsonl'), 100);
    const { status, out } = sfs(place, ['verify']);
    assert.equal(status, 1);
    assert.ok(
      out.startsWith(`${id}: ~/.sessionfs/sessions/${id}.sfs/messages.jsonl has 100 bytes of the `) &&
        out.includes(`\n  hint: make it again from the bytes that are kept: sfs reparse ${id}\n`) &&
        out.endsWith('1 thing is damaged, in 1 session.\n'),
      out,
    );
    const json = sfs(place, ['verify', id, '--json']);
    assert.deepEqual([json.status, JSON.parse(json.out)], [1, JSON.parse(JSON.stringify(await verified(place, id)))]);
    assert.equal(sfs(place, ['verify', 'nobody']).status, 3);
  });

  test('an index that says something else, lacks a session, has one too many, or is none', async (t) => {
    const { place, id } = await filled(t);
    const change = (sql: string): void => {
      const database = new DatabaseSync(place.context.store.index);
      database.exec(sql);
      database.close();
    };
    const problems = async (): Promise<string[]> =>
      (await verified(place)).damaged.map(({ problem, hint }) => `${problem}; ${hint}`);
    const mend = 'make the index again: sfs doctor --fix';
    change(`update sessions set title = 'Another' where session_id = '${id}'`);
    assert.deepEqual(await problems(), [`says something else of it than its manifest; ${mend}`]);
    change(`delete from sessions where session_id = '${id}'`);
    assert.deepEqual(await problems(), [`does not have it; ${mend}`]);
    change(`update sessions set session_id = '${id}x' where session_id = (select min(session_id) from sessions)`);
    assert.ok((await problems()).includes(`has a session whose directory is not there; ${mend}`));
    writeFileSync(place.context.store.index, 'no database at all, and long enough not to be one'.repeat(100));
    assert.deepEqual(await problems(), [`cannot be read; ${mend}`]);
    rmSync(place.context.store.index);
    assert.deepEqual(await problems(), []);
    assert.equal(existsSync(place.context.store.index), false, 'nothing is made by looking');
  });

  test('a ledger with a line that is none', async (t) => {
    const { place, id } = await filled(t);
    done(place, ['alias', id, 'gate']);
    const path = join(place.context.store.ledger, 'aliases.jsonl');
    appendFileSync(path, '{"at":"2026-11-26T0\n');
    assert.deepEqual((await verified(place)).damaged, [
      {
        session_id: null,
        path,
        problem: 'line 2 cannot be read; it counts for nothing',
        hint: `look at it, and take the line out: ${path}`,
      },
    ]);
  });

  test('a store that is not there has nothing damaged', async (t) => {
    const nothing = { sessions: 0, messages: 0, frames: 0, bytes: 0, damaged: [] };
    assert.deepEqual(await verified(scratch(t)), nothing);
  });
});
