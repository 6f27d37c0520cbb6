/** What every adapter must do, asked of each one that is registered, over its own recordings. */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { resume } from '../../src/actions/resume.ts';
import { openSession } from '../../src/actions/show.ts';
import type { Adapter, Source, SourceFile } from '../../src/adapters/adapter.ts';
import { adapters } from '../../src/adapters/index.ts';
import { systemMachine } from '../../src/io/system.ts';
import { conversation } from '../../src/adapters/shared/conversation.ts';
import { layout } from '../../src/format/layout.ts';
import { isKnown } from '../../src/model/block.ts';
import type { Message } from '../../src/model/message.ts';
import { count, countResponse, emptyTally } from '../../src/model/tally.ts';
import { archivedBytes, wholeArchive } from '../../src/store/archive.ts';
import { decodeCommit } from '../../src/store/commit.ts';
import type { SessionReader } from '../../src/store/session-reader.ts';
import { Run } from '../support/run.ts';
import {
  decodedBytes,
  fixturesOf,
  installRecording,
  nativeBytes,
  nativeFile,
  recordingsOf,
  scratch,
} from '../support/scratch.ts';
import { schemas } from '../support/schemas.ts';

const quiet = (): void => undefined;
/** The same records at every run; another seed or more of them: `SFS_SEED=7 SFS_RUNS=20000`. */
const fuzzing = { seed: Number(process.env['SFS_SEED'] ?? 1), numRuns: Number(process.env['SFS_RUNS'] ?? 500) };
const stateLimitBytes = 64 * 1024;

for (const adapter of adapters) {
  describe(`${adapter.name} conforms`, () => {
    for (const recording of recordingsOf(adapter)) {
      test(`${recording}: every record is accounted for, every file valid, every byte kept`, async (t) => {
        const place = scratch(t);
        installRecording(place, adapter, recording);
        const result = await importSessions(place.context, {}, quiet);
        assert.deepEqual(result.problems, []);
        const { sessions } = await listSessions(place.context, {});
        assert.ok(sessions.length > 0, 'sessions were found');
        for (const session of sessions) {
          const { reader } = await openSession(place.context, session.session_id);
          checkAccounted(reader);
          checkValid(reader);
          checkWhole(reader);
          checkArchive(reader, adapter);
        }
      });

      test(`${recording}: importing twice changes nothing`, async (t) => {
        const place = scratch(t);
        installRecording(place, adapter, recording);
        await importSessions(place.context, {}, quiet);
        const before = contentOf(place.context.store.sessions);
        const again = await importSessions(place.context, {}, quiet);
        assert.deepEqual(again.sessions, []);
        assert.deepEqual(contentOf(place.context.store.sessions), before);
      });

      test(`${recording}: reading in two pieces equals reading at once`, (t) => {
        const place = scratch(t);
        const home = installRecording(place, adapter, recording);
        for (const source of adapter.reader.discover(place.context.machine, home, quiet)) checkSplits(adapter, source);
      });

      for (const target of adapters.filter(({ writer }) => writer !== undefined)) {
        test(`${recording}: what ${target.name} is given says the same, and comes back as nothing new`, async (t) => {
          const place = scratch(t);
          installRecording(place, adapter, recording);
          await importSessions(place.context, {}, quiet);
          const { sessions } = await listSessions(place.context, {});
          for (const session of sessions) await checkResume(place.context, session.session_id, target, place.project);
        });
      }
    }

    test('never throws, whatever a record is', (t) => {
      const file: SourceFile = { key: 'main', path: '/nowhere', kind: 'log' };
      const samples = recordingsOf(adapter).flatMap((recording) => [
        ...sampleRecords(join(fixturesOf(adapter), recording)),
        ...sampleRows(t, adapter, recording),
      ]);
      const damaged = fc.oneof(
        fc.jsonValue({ maxDepth: 4 }),
        fc
          .tuple(fc.constantFrom(...samples), fc.jsonValue({ maxDepth: 2 }), fc.nat())
          .map(([sample, junk, at]) => damage(sample, junk, at)),
      );
      fc.assert(
        fc.property(fc.array(damaged, { maxLength: 12 }), (records) => {
          const run = new Run(adapter, 'id', file);
          for (const record of records) run.decode(record);
          run.settle();
          for (const message of run.messages.values()) assert.deepEqual(schemas.message(message), []);
        }),
        fuzzing,
      );
    });
  });
}

function checkAccounted(reader: SessionReader): void {
  const records = reader.commit?.records ?? {};
  assert.equal(
    records['unknown'] ?? 0,
    0,
    `${reader.id} has no unknown record: ${JSON.stringify(reader.commit?.losses)}`,
  );
  assert.equal(records['malformed'] ?? 0, 0, `${reader.id} has no malformed record`);
  assert.ok((records['message'] ?? 0) > 0, `${reader.id} has messages`);
}

function checkValid(reader: SessionReader): void {
  assert.deepEqual(schemas.manifest(reader.manifest), []);
  if (reader.workspace !== undefined) assert.deepEqual(schemas.workspace(reader.workspace), []);
  if (reader.tools !== undefined) assert.deepEqual(schemas.tools(reader.tools), []);
  for (const message of reader.lines()) assert.deepEqual(schemas.message(message), [], message.msg_id);
}

function checkWhole(reader: SessionReader): void {
  const messages = [...reader.lines((line) => assert.fail(`line ${line} is not a message`))];
  const ids = new Set(messages.map(({ msg_id: id }) => id));
  assert.equal(ids.size, messages.length, 'ids are unique');
  for (const message of messages) {
    if (message.parent_msg_id !== null)
      assert.ok(ids.has(message.parent_msg_id), `${message.msg_id} hangs on a message that is there`);
    assert.ok(Number.isFinite(Date.parse(message.timestamp)), `${message.msg_id} has a time`);
  }
  assert.ok(reader.liveIds().length > 0, `${reader.id} has a live view`);
  const commit = decodeCommit(readFileSync(join(reader.folder, layout.commit), 'utf8'), reader.id);
  for (const cursor of Object.values(commit?.cursors ?? {})) {
    assert.ok(JSON.stringify(cursor.state).length <= stateLimitBytes, 'the state stays small');
  }
}

function checkArchive(reader: SessionReader, adapter: Adapter): void {
  const { cursors = {}, native = {} } = reader.commit ?? {};
  const main = Object.values(cursors)[0]?.path ?? '';
  const source = adapter.reader.sourceAt(systemMachine({ env: {}, homeDir: '/nowhere' }), main, quiet);
  for (const [key, archived] of Object.entries(native)) {
    const bytes = wholeArchive(reader.folder, key, archived);
    assert.equal(bytes.length, archivedBytes(archived));
    const path = cursors[key]?.path ?? '';
    const file = source?.files.find((one) => one.key === key);
    const kept = file === undefined ? nativeBytes(path) : decodedBytes(adapter, file);
    assert.ok(bytes.equals(kept), `${key} is kept byte for byte`);
  }
}

/** Every file below a folder with its content, in order. */
function contentOf(folder: string): (readonly [string, string])[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => [path, readFileSync(path, 'base64')] as const);
}

function recordsOf(adapter: Adapter, file: SourceFile): unknown[] {
  const bytes = decodedBytes(adapter, file).subarray(0, file.inherited?.bytes);
  const text = bytes.toString('utf8');
  return file.kind === 'document'
    ? [JSON.parse(text)]
    : text
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line) => JSON.parse(line) as unknown);
}

/** Cuts each log at up to 60 boundaries, spread over the file. */
function checkSplits(adapter: Adapter, source: Source): void {
  const keys = new Map<string, string>();
  const others = new Map<string, Message>();
  for (const file of source.files) {
    if (file.kind === 'attachment') continue;
    const opaque = adapter.reader.opaque;
    const records = recordsOf(adapter, file).filter(
      (record) => !opaque.some((prefix) => JSON.stringify(record).startsWith(prefix)),
    );
    const decode = (cut: number | undefined): Run => {
      const run = new Run(adapter, source.nativeId, file, new Map(keys), others);
      for (const [index, record] of records.entries()) {
        if (index === cut) run.pause();
        run.decode(record);
      }
      run.settle();
      return run;
    };
    const whole = decode(undefined);
    const step = Math.max(1, Math.floor(records.length / 60));
    for (let cut = 0; cut <= records.length; cut += step) {
      const split = decode(cut);
      assert.deepEqual(saidBy(split), saidBy(whole), `${file.key} cut before record ${cut}: messages`);
      assert.deepEqual(usageOf(split), usageOf(whole), `${file.key} cut before record ${cut}: usage`);
      assert.deepEqual(split.liveIds(), whole.liveIds(), `${file.key} cut before record ${cut}: live view`);
    }
    const next = new Run(adapter, source.nativeId, file, keys, others);
    for (const record of records) next.decode(record);
    next.settle();
    for (const [id, message] of next.messages) others.set(id, message);
  }
}

/** The messages; which part of a response states its usage may depend on when the source was quiet. */
function saidBy(run: Run): Message[] {
  return [...run.messages.values()].map(({ usage: _usage, ...message }) => message);
}

function usageOf(run: Run): unknown {
  const tally = emptyTally();
  for (const message of run.messages.values()) count(tally, message);
  for (const stated of run.stated) countResponse(tally, stated);
  return tally.models;
}

/** Every text, call and result a model gets to see, in order. Names may be translated and ids mapped; failure marks are not every format's. */
function saidIn(messages: Iterable<Message>): Said[] {
  const said: string[][] = [];
  for (const step of conversation(messages, new Map())) {
    if (step.kind === 'prompt') {
      // Tools differ in where a prompt's images stand.
      for (const block of step.content) if (block.type === 'text') said.push(['user', block.text.trim()]);
      for (const block of step.content) if (block.type === 'image') said.push(['image']);
      continue;
    }
    for (const part of step.parts) if (part.type === 'text') said.push(['assistant', part.text.trim()]);
    for (const part of step.parts) if (part.type === 'call') said.push(['call', part.result.text.trim()]);
  }
  return runsOf(said);
}

/** One turn's prose, or a call's result. */
type Said = readonly [kind: string, ...texts: string[]];

/** Formats differ in where they cut one turn's prose into blocks: what the same one says in a row is one run of texts. */
function runsOf(said: readonly (readonly string[])[]): Said[] {
  const runs: [string, ...string[]][] = [];
  for (const [kind = '', ...texts] of said) {
    const last = runs.at(-1);
    if (last !== undefined && last[0] === kind && (kind === 'user' || kind === 'assistant')) last.push(...texts);
    else runs.push([kind, ...texts]);
  }
  return runs;
}

async function checkResume(
  context: Parameters<typeof resume>[0],
  sessionId: string,
  target: Adapter,
  project: string,
): Promise<void> {
  const { reader: source } = await openSession(context, sessionId);
  const before = saidIn(source.live());
  if (before.length === 0) return;
  const folder = join(project, sessionId);
  mkdirSync(folder, { recursive: true });
  const resumed = await resume(context, { session: sessionId, in: target.id, project: folder });
  assert.equal(resumed.how, 'converted');
  assert.equal(resumed.parent_session_id, sessionId);
  const { reader: child } = await openSession(context, resumed.session_id);
  assert.deepEqual(saidIn(child.live()), before, 'the child is whole by itself');
  assert.deepEqual(child.manifest.metadata?.base?.session, sessionId);
  const linesBefore = [...child.lines()].length;
  const isSession = (file: string): boolean =>
    target.reader.sourceAt(context.machine, file, quiet)?.files.some(({ path }) => nativeFile(path) === file) === true;
  const placed = resumed.files.find(isSession) ?? '';
  const written = decodedConversation(context, target, placed);
  assertSays(written, before, `${sessionId} in ${target.id}`);
  await importSessions(context, { from: target.id }, quiet);
  const { reader: after } = await openSession(context, resumed.session_id);
  assert.equal([...after.lines()].length, linesBefore, 'what was placed is not captured again');
  assert.deepEqual(after.commit?.native, child.commit?.native, 'nothing of it is archived again');
}

/** The same runs in the same order, with every text in each; a target may put its own marks around a text (a summary's tags). */
function assertSays(actual: readonly Said[], expected: readonly Said[], what: string): void {
  const kinds = (runs: readonly Said[]): string[] => runs.map(([kind]) => kind);
  assert.deepEqual(kinds(actual), kinds(expected), what);
  for (const [index, [, ...texts]] of expected.entries()) {
    const found = (actual[index] ?? []).slice(1).join('\n');
    let at = 0;
    for (const text of texts) {
      const next = found.indexOf(text, at);
      assert.ok(next !== -1, `${what}, run ${index}: ${JSON.stringify(found)} says ${JSON.stringify(text)}`);
      at = next + text.length;
    }
  }
}

/** What the target's own reader makes of a placed file. */
function decodedConversation(context: Parameters<typeof resume>[0], target: Adapter, path: string): Said[] {
  const source = target.reader.sourceAt(context.machine, path, quiet);
  assert.ok(source !== undefined, `${path} is a session of ${target.id}`);
  const file = source.files.find((one) => nativeFile(one.path) === path);
  assert.ok(file !== undefined);
  const run = new Run(target, source.nativeId, file);
  for (const record of recordsOf(target, file)) run.decode(record);
  run.settle();
  return saidIn(run.live());
}

/** A few records of a recording, to be damaged. */
function sampleRecords(folder: string): unknown[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.jsonl'))
    .flatMap((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8').split('\n').slice(0, 40))
    .filter((line) => line !== '' && line.length < 20_000)
    .map((line) => JSON.parse(line) as unknown);
}

/** The same of sessions that lie in a database. */
function sampleRows(t: TestContext, adapter: Adapter, recording: string): unknown[] {
  if (adapter.reader.load === undefined) return [];
  const place = scratch(t);
  const home = installRecording(place, adapter, recording);
  return [...adapter.reader.discover(place.context.machine, home, quiet)].flatMap(({ files }) =>
    files.flatMap((file) => recordsOf(adapter, file)),
  );
}

/** The sample with junk in place of one of its fields, some levels down. */
function damage(sample: unknown, junk: unknown, at: number): unknown {
  if (typeof sample !== 'object' || sample === null) return junk;
  const keys = Object.keys(sample);
  const key = keys[at % Math.max(1, keys.length)];
  if (key === undefined) return junk;
  const value = (sample as Record<string, unknown>)[key];
  const inner = at % 3 === 0 ? junk : damage(value, junk, Math.floor(at / 7));
  return Array.isArray(sample)
    ? sample.map((item, index) => (String(index) === key ? inner : (item as unknown)))
    : { ...sample, [key]: inner };
}

test('blocks a format cannot hold are declared', () => {
  for (const adapter of adapters)
    for (const kind of adapter.carries) assert.ok(isKnown({ type: kind, text: '' }), `${adapter.id} carries ${kind}`);
});
