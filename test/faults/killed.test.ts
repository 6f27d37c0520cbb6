/** A resume cut off when the child is committed and its files are not yet there; a reparse cut off before its commit. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { resume } from '../../src/actions/resume.ts';
import { openSession } from '../../src/actions/show.ts';
import { homeOf } from '../../src/actions/tools.ts';
import type { Adapter } from '../../src/adapters/adapter.ts';
import { adapters } from '../../src/adapters/index.ts';
import { sfs } from '../support/command-line.ts';
import type { Scratch } from '../support/scratch.ts';
import { installRecording, recordingsOf, scratch, writable } from '../support/scratch.ts';

const quiet = (): void => undefined;

/** Loaded into `sfs` before it runs: does something else in the place of one call of the system. */
function instead(place: Scratch, code: string): { readonly env: { readonly [name: string]: string } } {
  const path = join(place.folder, 'instead.mjs');
  writeFileSync(
    path,
    `import fs from 'node:fs';\nimport { syncBuiltinESMExports } from 'node:module';\n${code}\nsyncBuiltinESMExports();\n`,
  );
  return { env: { NODE_OPTIONS: `--import ${path}` } };
}

/** What happens where a file is to appear in a tool's home; locks are files that appear too. */
function insteadOfPlacing(place: Scratch, code: string): { readonly env: { readonly [name: string]: string } } {
  return instead(
    place,
    `const { linkSync } = fs;\nfs.linkSync = (from, to) => (to.endsWith('lock') ? linkSync(from, to) : ${code});`,
  );
}

async function longest(place: Scratch, source: Adapter): Promise<string> {
  installRecording(place, source, recordingsOf(source).at(-1) ?? '');
  await importSessions(place.context, {}, quiet);
  const { sessions } = await listSessions(place.context, { sort: 'messages' });
  return sessions[0]?.session_id ?? '';
}

for (const target of writable) {
  test(`killed between the two, into ${target.name}: the child is whole, and resuming it puts its files back`, async (t) => {
    const place = scratch(t);
    const source = adapters.find((adapter) => adapter !== target) ?? target;
    const parent = await longest(place, source);
    const killed = sfs(
      place,
      ['resume', parent, '--in', target.id, '--project', place.project],
      insteadOfPlacing(place, `process.kill(process.pid, 'SIGKILL')`),
    );
    assert.equal(killed.status, null, killed.err);

    await importSessions(place.context, {}, quiet);
    const children = (await listSessions(place.context, {})).sessions.filter(
      ({ parent_session_id: id, tool }) => id === parent && tool === target.id,
    );
    assert.equal(children.length, 1);
    const child = children[0]?.session_id ?? '';
    const before = await openSession(place.context, child);
    const files = Object.values(before.reader.commit?.cursors ?? {}).map(({ path }) => path);
    assert.deepEqual(
      files.map((path) => existsSync(path)),
      files.map(() => false),
    );
    const said = [...before.reader.live()].map(({ msg_id: id }) => id);

    const resumed = await resume(place.context, { session: child, project: place.project });
    assert.equal(resumed.session_id, child);
    assert.equal(resumed.parent_session_id, parent);
    for (const path of resumed.files) assert.ok(readFileSync(path).length > 0, path);
    const again = await importSessions(place.context, {}, quiet);
    assert.deepEqual(again.sessions, []);
    const after = await openSession(place.context, child);
    assert.deepEqual(
      [...after.reader.live()].map(({ msg_id: id }) => id),
      said,
    );
  });
}

for (const target of writable) {
  test(`what a killed resume left unfinished in the home of ${target.name} goes with a later import, and nothing else`, async (t) => {
    const place = scratch(t);
    const parent = await longest(place, target);
    const home = homeOf(place.context, target);
    const homes = [home, ...(target.home.beside?.(place.context.machine, home) ?? [])];
    const native = new Set(homes.flatMap(filesBelow));
    const kill = insteadOfPlacing(place, `process.kill(process.pid, 'SIGKILL')`);
    assert.equal(sfs(place, ['resume', parent, '--in', target.id, '--project', place.project], kill).status, null);
    const left = (): string[] => homes.flatMap(filesBelow).filter((name) => !native.has(name));
    const unfinished = left();
    assert.ok(unfinished.length > 0 && unfinished.every((name) => /^\.\d+-\d+\.tmp$/.test(name)), unfinished.join());
    const notes = join(place.context.store.root, 'placing');
    const [note = ''] = readdirSync(notes);
    const folder = (JSON.parse(readFileSync(join(notes, note), 'utf8')) as { folders: string[] }).folders.at(-1) ?? '';
    const pid = Number.parseInt(note, 10);
    const strangers = [`.${pid}-1.tmp.bak`, `.${pid}1-1.tmp`, `${pid}-1.tmp`, `.${process.pid}-1.tmp`, '.x.tmp'];
    for (const name of strangers) writeFileSync(join(folder, name), 'not ours');
    mkdirSync(join(folder, 'deeper'));
    writeFileSync(join(folder, 'deeper', `.${pid}-1.tmp`), 'not ours');

    await importSessions(place.context, {}, quiet);
    assert.deepEqual(left().length, unfinished.length + strangers.length + 1, 'it may still be at work');
    utimesSync(join(notes, note), new Date(0), new Date(0));
    await importSessions(place.context, {}, quiet);
    assert.deepEqual(left().toSorted(), [...strangers, `.${pid}-1.tmp`].toSorted());
    assert.deepEqual(readdirSync(notes), []);
    await resume(place.context, { session: parent, in: target.id, project: place.project });
    assert.deepEqual(readdirSync(notes), []);
  });
}

test('a note of what is placed that leads elsewhere, or is none, removes nothing', async (t) => {
  const place = scratch(t);
  const [source] = adapters;
  assert.ok(source !== undefined);
  const parent = await longest(place, source);
  const notes = join(place.context.store.root, 'placing');
  const gone = spawnSync(process.execPath, ['-e', '0']).pid;
  const elsewhere = join(place.folder, 'elsewhere');
  mkdirSync(notes);
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, `.${gone}-1.tmp`), '');
  symlinkSync(elsewhere, join(place.folder, 'link'));
  const texts = ['{', '{"folders":"/"}', JSON.stringify({ folders: [join(place.folder, 'link'), 5, '/nowhere'] })];
  for (const [index, text] of texts.entries()) {
    const path = join(notes, `${gone}-${index}.json`);
    writeFileSync(path, text);
    utimesSync(path, new Date(0), new Date(0));
  }
  writeFileSync(join(notes, 'x.json'), '{}');
  await resume(place.context, { session: parent, project: place.project });
  assert.deepEqual(readdirSync(elsewhere), [`.${gone}-1.tmp`]);
  assert.deepEqual(readdirSync(notes), ['x.json']);
});

test('a file that cannot appear: no child, no other file', async (t) => {
  const place = scratch(t);
  const [source, target] = adapters;
  assert.ok(source !== undefined && target !== undefined);
  const parent = await longest(place, source);
  const before = (await listSessions(place.context, {})).sessions;
  const refused = sfs(
    place,
    ['resume', parent, '--in', target.id, '--project', place.project],
    insteadOfPlacing(place, `(() => { throw Object.assign(new Error('taken'), { code: 'EEXIST' }); })()`),
  );
  assert.equal(refused.status, 4, refused.err);
  assert.deepEqual((await listSessions(place.context, {})).sessions, before);
  assert.deepEqual(filesBelow(homeOf(place.context, target)), []);
});

test('a reparse killed before its commit leaves the session as it was, and done again it is done', async (t) => {
  const place = scratch(t);
  const [source] = adapters;
  assert.ok(source !== undefined);
  const { reader } = source;
  const deaf: Adapter = {
    ...source,
    reader: {
      ...reader,
      decode: (record, state, given) =>
        reader.decode(record, state, {
          ...given,
          sink: {
            message: (message) => (message.role === 'tool' ? undefined : given.sink.message(message)),
            usage: (stated) => given.sink.usage(stated),
            live: (op) => given.sink.live(op),
            copied: (id) => given.sink.copied(id),
            fact: (facts) => given.sink.fact(facts),
            key: (key, id) => given.sink.key(key, id),
            loss: (name) => given.sink.loss(name),
          },
        }),
    },
  };
  installRecording(place, source, recordingsOf(source).at(-1) ?? '');
  await importSessions({ ...place.context, adapters: [deaf] }, {}, quiet);
  const id = (await listSessions(place.context, { sort: 'messages' })).sessions[0]?.session_id ?? '';
  const before = (await openSession(place.context, id)).reader.timeline().toArray();
  const killed = sfs(
    place,
    ['reparse', id],
    instead(
      place,
      `const rename = fs.renameSync;
       fs.renameSync = (from, to) =>
         to.endsWith('commit.json') && !to.includes('.reparse.tmp') ? process.kill(process.pid, 'SIGKILL') : rename(from, to);`,
    ),
  );
  assert.equal(killed.status, null, killed.err);
  assert.deepEqual((await openSession(place.context, id)).reader.timeline().toArray(), before);
  assert.match(sfs(place, ['reparse', id]).out, /messages new/);
  const { reader: now } = await openSession(place.context, id);
  assert.ok(now.timeline().toArray().length > before.length);
  assert.ok(!existsSync(join(now.folder, '.reparse.tmp')));
  assert.match(sfs(place, ['reparse', id]).out, /1 unchanged/);
});

function filesBelow(folder: string): string[] {
  return existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => name)
    : [];
}
