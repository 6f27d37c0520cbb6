/** What the store weighs, and making room: nothing is done before it is meant, and nothing goes that somebody would miss. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { ListedSession } from '../../src/actions/list.ts';
import type { Pruned } from '../../src/actions/prune.ts';
import type { Storage } from '../../src/actions/storage.ts';
import { openSession } from '../../src/actions/show.ts';
import { adapters } from '../../src/adapters/index.ts';
import { sfs } from '../support/command-line.ts';
import type { Scratch } from '../support/scratch.ts';
import { installRecording, recordingsOf, scratch } from '../support/scratch.ts';

const [first, second] = adapters;
assert.ok(first !== undefined && second !== undefined);

function done(place: Scratch, args: readonly string[], status = 0): string {
  const ran = sfs(place, args);
  assert.equal(ran.status, status, ran.err);
  return ran.out;
}

function listed(place: Scratch): ListedSession[] {
  return JSON.parse(done(place, ['list', '--json', '--all'])) as ListedSession[];
}

function prune(place: Scratch, ...args: readonly string[]): Pruned {
  return JSON.parse(done(place, ['prune', '--json', ...args])) as Pruned;
}

const idsOf = (sessions: readonly { readonly session_id: string }[]): string[] =>
  sessions.map(({ session_id: id }) => id).toSorted();

/** Every file below the sessions. */
function filesOf(place: Scratch): Record<string, string> {
  const root = place.context.store.sessions;
  return Object.fromEntries(
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(root.length), readFileSync(path, 'base64')]),
  );
}

/** As `du` counts it. */
function diskUsage(path: string): number {
  return Number(execFileSync('du', ['-s', '-B1', path], { encoding: 'utf8' }).split('\t')[0]);
}

function filled(t: Parameters<typeof scratch>[0]): Scratch {
  const place = scratch(t);
  for (const adapter of [first, second]) {
    assert.ok(adapter !== undefined);
    installRecording(place, adapter, recordingsOf(adapter)[0] ?? '');
  }
  done(place, ['import']);
  return place;
}

const everything = ['--older-than', '2099-01-01'] as const;

describe('storage', () => {
  test('says what the store takes, as du does, and by what', (t) => {
    const place = scratch(t);
    assert.equal(done(place, ['storage']), 'Nothing has been captured yet: sfs import\n');
    assert.equal(done(place, ['storage', '--json']), 'null\n');
    for (const adapter of [first, second]) installRecording(place, adapter, recordingsOf(adapter)[0] ?? '');
    done(place, ['import']);
    const sessions = listed(place);
    const [deleted] = sessions;
    const [taken] = (
      JSON.parse(done(place, ['export', sessions[1]?.session_id ?? '', '--output', place.folder, '--json'])) as {
        files: string[];
      }
    ).files;
    done(place, ['import', taken ?? '']);
    done(place, ['delete', deleted?.session_id ?? '']);
    const { root, sessions: below, trash } = place.context.store;
    const storage = JSON.parse(done(place, ['storage', '--json'])) as Storage;
    assert.equal(storage.store, root);
    assert.equal(storage.session_count, sessions.length);
    const { index, trash: inTrash, other, ...parts } = storage.parts;
    const inSessions = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0);
    // The folder of all sessions is nobody's.
    const folder = diskUsage(below) - inSessions;
    assert.ok(folder >= 0 && folder <= 1 << 20, `${folder}`);
    assert.equal(inTrash, diskUsage(trash));
    assert.equal(storage.trash_count, 1);
    assert.ok(index > 0 && other > 0 && parts.native > 0 && parts.messages > 0);
    assert.equal(storage.bytes, inSessions + index + inTrash + other);
    for (const sums of [storage.tools, storage.projects]) {
      assert.equal(
        sums.reduce((sum, { bytes }) => sum + bytes, 0),
        inSessions,
      );
      assert.equal(
        sums.reduce((sum, { session_count: count }) => sum + count, 0),
        sessions.length,
      );
    }
    assert.deepEqual(idsOf(storage.largest), idsOf(listed(place)));
    for (const { session_id: id, bytes } of storage.largest) assert.equal(bytes, diskUsage(join(below, `${id}.sfs`)));
    assert.deepEqual(
      storage.largest.map(({ bytes }) => bytes),
      storage.largest.map(({ bytes }) => bytes).toSorted((a, b) => b - a),
    );
    assert.equal(storage.duplicates.session_count, 1);
    assert.ok(storage.disk.free_bytes > 0 && storage.disk.free_bytes < storage.disk.total_bytes);
    const text = done(place, ['storage', '--limit', '1']);
    assert.match(text, /^~\/\.sessionfs takes .* \d+ sessions\. On its disk /);
    assert.match(text, /^1 session is here more than once/m);
    assert.match(text, /^trash +\S+ \S+ +1 session; frees it: sfs trash empty$/m);
  });

  test('generations that a tool has overwritten are told apart', (t) => {
    const place = scratch(t);
    const home = installRecording(place, first, recordingsOf(first)[0] ?? '');
    done(place, ['import']);
    const older = (): number => (JSON.parse(done(place, ['storage', '--json'])) as Storage).parts.older;
    assert.equal(older(), 0);
    const log = readdirSync(home, { recursive: true, encoding: 'utf8' })
      .map((name) => join(home, name))
      .find((path) => path.endsWith('.jsonl') && readFileSync(path, 'utf8').split('\n').length > 4);
    const lines = readFileSync(log ?? '', 'utf8').split('\n');
    writeFileSync(log ?? '', lines.slice(1).join('\n'));
    done(place, ['import']);
    assert.ok(older() > 0);
  });
});

describe('prune', () => {
  test('nothing asked for is wrong usage', (t) => {
    const place = scratch(t);
    const { status, err } = sfs(place, ['prune']);
    assert.equal(status, 2);
    assert.match(err, /^sfs: nothing says which sessions are to go\nhint: type one of: sfs prune --older-than 90d/);
    for (const args of [
      ['--older-than', 'long'],
      ['--larger-than', 'huge'],
      ['--tool', 'hammer', '--older-than', '1d'],
    ])
      assert.equal(sfs(place, ['prune', ...args]).status, 2, args.join(' '));
    assert.deepEqual(prune(place, ...everything).sessions, []);
  });

  test('without --yes it only says; with it they are in the trash, stay out of imports, and come back whole', (t) => {
    const place = filled(t);
    const before = listed(place);
    const files = filesOf(place);
    const said = prune(place, ...everything);
    assert.deepEqual([said.done, said.permanently, said.problems], [false, false, []]);
    assert.deepEqual(idsOf(said.sessions), idsOf(before));
    assert.equal(
      said.bytes,
      said.sessions.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    const text = done(place, ['prune', ...everything]);
    assert.match(text, /^Would go into the trash: \d+ sessions, .*\. Nothing has been done\.\nDo it: (.*) --yes\n$/m);
    assert.ok(text.endsWith(`Do it: sfs prune ${everything.join(' ')} --yes\n`));
    assert.deepEqual(filesOf(place), files);
    assert.deepEqual(listed(place), before);

    assert.match(
      done(place, ['prune', ...everything, '--yes']),
      /^In the trash: \d+ sessions, .*\. Take one back: sfs restore ID; free the room: sfs trash empty\n$/m,
    );
    assert.deepEqual(listed(place), []);
    done(place, ['import']);
    assert.deepEqual(listed(place), []);
    for (const { session_id: id } of before) done(place, ['restore', id]);
    assert.deepEqual(filesOf(place), files);
    assert.deepEqual(listed(place), before);
  });

  test('by age and by size: both have to hold', (t) => {
    const place = filled(t);
    const sessions = prune(place, ...everything).sessions.toSorted((a, b) => a.bytes - b.bytes);
    const [smallest, largest] = [sessions[0], sessions.at(-1)];
    assert.ok(smallest !== undefined && largest !== undefined && smallest.bytes < largest.bytes);
    assert.deepEqual(
      prune(place, '--larger-than', String(largest.bytes - 1)).sessions.every(({ bytes }) => bytes === largest.bytes),
      true,
    );
    assert.deepEqual(prune(place, '--larger-than', String(largest.bytes)).sessions, []);
    const byAge = sessions.toSorted((a, b) => (a.updated_at < b.updated_at ? -1 : 1));
    const oldest = byAge.filter(({ updated_at: at }) => at === byAge[0]?.updated_at);
    const after = new Date(Date.parse(byAge[0]?.updated_at ?? '') + 1).toISOString();
    assert.deepEqual(idsOf(prune(place, '--older-than', after).sessions), idsOf(oldest));
    assert.deepEqual(
      idsOf(prune(place, '--older-than', after, '--larger-than', String(oldest[0]?.bytes ?? 0)).sessions),
      [],
    );
    assert.deepEqual(prune(place, '--older-than', '3650d').sessions, []);
    assert.deepEqual(
      new Set(prune(place, ...everything, '--tool', second.id).sessions.map(({ tool }) => tool)),
      new Set([second.id]),
    );
  });

  test('to keep under a size the oldest go, and no more than needed', (t) => {
    const place = filled(t);
    const all = prune(place, ...everything).sessions;
    const total = all.reduce((sum, { bytes }) => sum + bytes, 0);
    const dates = all.map(({ updated_at: at }) => at);
    assert.deepEqual(dates, dates.toSorted());
    const [oldest] = all;
    const limit = total - (oldest?.bytes ?? 0);
    const kept = prune(place, '--keep-under', String(limit));
    assert.deepEqual(idsOf(kept.sessions), [oldest?.session_id]);
    assert.deepEqual(kept.sessions_bytes, { before: total, after: limit });
    assert.equal(prune(place, '--keep-under', String(limit - 1)).sessions.length, 2);
    assert.deepEqual(prune(place, '--keep-under', '1TB').sessions, []);
    for (const { session_id: id } of all) done(place, ['tag', id, 'dear']);
    assert.match(
      done(place, ['prune', '--keep-under', '1KB']),
      /^Nothing is to go\.\nStays: \d+ sessions have a tag, .*\nThat leaves .*, which is more than 1\.0 KB\.\n$/,
    );
  });

  test('what a person has marked stays unless that is told', (t) => {
    const place = filled(t);
    const before = idsOf(listed(place));
    const marks = [
      (id: string) => ['tag', id, 'dear'],
      (id: string) => ['alias', id, 'gate'],
      (id: string) => ['rename', id, 'The gate'],
      (id: string) => ['checkpoint', id, '--name', 'here'],
    ];
    assert.ok(before.length > 0);
    for (const [at, mark] of marks.entries()) {
      const own = filled(t);
      const id = before[at % before.length] ?? '';
      done(own, mark(id));
      const { sessions, spared } = prune(own, ...everything);
      assert.deepEqual(spared, { live: 0, marked: 1, 'only-copy': 0 });
      assert.deepEqual(
        idsOf(sessions),
        before.filter((other) => other !== id),
      );
      assert.deepEqual(idsOf(prune(own, ...everything, '--marked').sessions), before);
    }
  });

  test('what is nowhere else stays unless that is told: deleted by its tool, not to be seen, taken in, forked', async (t) => {
    const place = filled(t);
    const before = listed(place);
    const gone = before.find(({ tool }) => tool === first.id);
    const { reader } = await openSession(place.context, gone?.session_id ?? '');
    for (const { path } of Object.values(reader.commit?.cursors ?? {})) rmSync(path, { force: true });
    const other = before.find(({ tool }) => tool === second.id);
    const [exported] = (
      JSON.parse(done(place, ['export', other?.session_id ?? '', '--output', place.folder, '--json'])) as {
        files: string[];
      }
    ).files;
    done(place, ['import', exported ?? '']);
    const fork = JSON.parse(done(place, ['fork', other?.session_id ?? '', '--name', 'Fork', '--json'])) as {
      session_id: string;
    };
    const taken = listed(place).filter(
      ({ session_id: id }) => id !== fork.session_id && before.every((one) => one.session_id !== id),
    );
    assert.equal(taken.length, 1);
    const { sessions, spared } = prune(place, ...everything);
    assert.deepEqual(idsOf(sessions), idsOf(before.filter(({ session_id: id }) => id !== gone?.session_id)));
    // The fork was made just now.
    assert.deepEqual(spared, { live: 1, marked: 0, 'only-copy': 2 });
    assert.deepEqual(idsOf(prune(place, ...everything, '--ghosts').sessions), idsOf([...before, ...taken]));

    renameSync(place.home, join(place.folder, 'away'));
    mkdirSync(place.home);
    cpSync(join(place.folder, 'away', '.sessionfs'), join(place.home, '.sessionfs'), { recursive: true });
    const away = prune(place, ...everything);
    assert.deepEqual(away.sessions, []);
    assert.equal(away.spared['only-copy'], before.length + 1);
  });

  test('what is in use stays, whatever is told', (t) => {
    const place = filled(t);
    const open = listed(place).find(({ tool }) => tool === 'codex');
    const locks = join(place.home, '.codex', 'thread-writer-locks');
    mkdirSync(locks, { recursive: true });
    writeFileSync(join(locks, `${open?.native_id ?? ''}.lock`), '');
    const { sessions, spared } = prune(place, ...everything, '--marked', '--ghosts');
    assert.equal(spared.live, 1);
    assert.ok(sessions.length > 0 && sessions.every(({ session_id: id }) => id !== open?.session_id));
  });

  test('one that is being written stays and is told, the others go', (t) => {
    const place = filled(t);
    const before = idsOf(listed(place));
    const [busy = ''] = before;
    writeFileSync(join(place.context.store.sessions, `${busy}.sfs`, 'meta', 'lock'), `${process.pid}/0`);
    const { status, out } = sfs(place, ['prune', ...everything, '--yes', '--json']);
    assert.equal(status, 1);
    const pruned = JSON.parse(out) as Pruned;
    assert.deepEqual(pruned.problems, [{ session_id: busy, problem: `another process is writing ${busy}` }]);
    assert.deepEqual(idsOf(pruned.sessions), before.slice(1));
    assert.deepEqual(idsOf(listed(place)), [busy]);
  });

  test('permanently: their room is free at once, and imports leave them out all the same', (t) => {
    const place = filled(t);
    const before = idsOf(listed(place));
    assert.match(
      done(place, ['prune', ...everything, '--permanently']),
      /^Would be removed for good: .*\nDo it: sfs prune --older-than 2099-01-01 --permanently --yes\n$/m,
    );
    assert.match(done(place, ['prune', ...everything, '--permanently', '--yes']), /^Removed for good: /m);
    assert.deepEqual(readdirSync(place.context.store.sessions), []);
    assert.deepEqual(readdirSync(place.context.store.trash), []);
    assert.match(done(place, ['import']), /deleted here/);
    assert.deepEqual(listed(place), []);
    const noted = JSON.parse(done(place, ['audit', '--event', 'purge', '--json'])) as { session_id: string }[];
    assert.deepEqual(idsOf(noted), before);
    assert.ok(!existsSync(join(place.context.store.trash, `${before[0] ?? ''}.sfs`)));
  });
});
