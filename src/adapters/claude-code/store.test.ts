/** Sessions on their way through the store: put back byte for byte, and files that no program should have written. */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { installRecording, scratch } from '../../../test/support/scratch.ts';
import { importSessions } from '../../actions/import.ts';
import { listSessions } from '../../actions/list.ts';
import { resume } from '../../actions/resume.ts';
import { openSession } from '../../actions/show.ts';
import { textOf } from '../../model/message.ts';
import type { SessionReader } from '../../store/session-reader.ts';
import { wholeArchive } from '../../store/archive.ts';
import { adapter } from './index.ts';
import { recentLimit } from './state.ts';
import { Script } from './test-support.ts';

const quiet = (): void => undefined;
const nativeId = '0123abcd-0000-4000-8000-000000000003';

/**
 * Of each recording: records, calls, results, images, answers with tokens and their output tokens, counted from the files
 * by hand: rows once a `uuid`, tokens once a `message.id` (the largest), those of copied answers not at all.
 */
const counted: { readonly [version: string]: { readonly [session: string]: readonly number[] } } = {
  '1.0.24': {
    '0e75e55d': [27, 6, 6, 0, 9, 377],
    '2ca8b2b8': [14, 3, 3, 0, 3, 198],
    '353d3faa': [24, 5, 5, 0, 7, 331],
    a8fbc156: [3, 0, 0, 0, 1, 51],
    ec8a6a8a: [24, 5, 5, 0, 7, 308],
  },
  '2.0.76': { c11181b6: [40, 9, 9, 0, 13, 547] },
  '2.1.330': {
    '11111111': [55, 4, 4, 0, 5, 262],
    '2080deb2': [265, 14, 14, 1, 28, 1143],
    '22222222': [110, 8, 8, 1, 14, 427],
    '33333333': [89, 5, 5, 0, 10, 270],
    '35853169': [151, 11, 11, 1, 1, 20],
    '6e10bae5': [162, 8, 8, 0, 17, 545],
    '9ec8f590': [22, 0, 0, 0, 1, 20],
    a4a63d87: [25, 0, 0, 0, 1, 51],
    c8adee1d: [35, 0, 0, 0, 1, 20],
    fa0060fa: [43, 4, 4, 0, 1, 20],
  },
};

describe('what an import counts', () => {
  for (const [version, expected] of Object.entries(counted)) {
    it(version, async (t) => {
      const place = scratch(t);
      installRecording(place, adapter, version);
      await importSessions(place.context, {}, quiet);
      const { sessions } = await listSessions(place.context, {});
      const counts: { [session: string]: readonly number[] } = {};
      for (const session of sessions) {
        const { reader } = await openSession(place.context, session.session_id);
        const records = reader.commit?.records ?? {};
        assert.equal(records['unknown'] ?? records['malformed'], undefined);
        const blocks = reader
          .timeline()
          .toArray()
          .flatMap((message) => message.content);
        const usage = Object.values(reader.manifest.metadata?.usage ?? {});
        counts[String(reader.manifest.source.original_session_id).slice(0, 8)] = [
          Object.values(records).reduce((sum, one) => sum + one, 0),
          ...['tool_use', 'tool_result', 'image'].map((type) => blocks.filter((block) => block.type === type).length),
          usage.reduce((sum, one) => sum + one.responses, 0),
          usage.reduce((sum, one) => sum + one.output_tokens, 0),
        ];
      }
      assert.deepEqual(counts, expected);
    });
  }
});

describe('a home that was lost', () => {
  for (const version of ['2.1.330', '2.0.76', '1.0.24']) {
    it(`${version}: every file of every session comes back byte for byte`, async (t) => {
      const place = scratch(t);
      const home = installRecording(place, adapter, version);
      await importSessions(place.context, {}, quiet);
      const before = filesBelow(join(home, 'projects'));
      rmSync(home, { recursive: true });
      const back = new Map<string, string>();
      const { sessions } = await listSessions(place.context, {});
      for (const session of sessions) {
        const project = join(place.project, session.session_id);
        mkdirSync(project);
        const resumed = await resume(place.context, { session: session.session_id, project });
        assert.equal(resumed.how, 'restored');
        for (const path of resumed.files) back.set(nameOf(path), readFileSync(path, 'base64'));
      }
      const kept = [...before].filter(([name, bytes]) => bytes !== '' && !isWarmUp(name, bytes));
      assert.deepEqual([...back].sort(), kept.sort());
    });
  }
});

/** Everything below a home's projects by its place within its project. */
function filesBelow(folder: string): Map<string, string> {
  return new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [nameOf(path), readFileSync(path, 'base64')]),
  );
}

function nameOf(path: string): string {
  return path.split('/projects/').at(-1)?.split('/').slice(1).join('/') ?? '';
}

/** 2.0.x starts sub-agents for itself, which are no part of any session. */
function isWarmUp(name: string, bytes: string): boolean {
  return name.startsWith('agent-') && Buffer.from(bytes, 'base64').includes('"Warmup"');
}

describe('damaged files', () => {
  it('rows that hang on one another in a circle are all there, and the live view ends', async (t) => {
    const script = new Script().prompt('1', '3').answer('2', '1').prompt('3', '2').prompt('self', 'self');
    const { reader } = await captured(t, script.lines);
    assert.deepEqual(namesOf(reader), ['1', '2', '3', 'self']);
    assert.deepEqual(reader.liveIds(), ['row-self']);
  });

  it('rows whose parents never come are roots of their own', async (t) => {
    const script = new Script().prompt('1').answer('2', 'lost').prompt('side', 'gone', { isSidechain: true });
    const { reader } = await captured(t, script.lines);
    assert.deepEqual(
      [...reader.lines()].map((message) => message.parent_msg_id),
      [null, null, null],
    );
    assert.deepEqual(reader.liveIds(), ['row-2']);
  });

  it('rows written again, at once and much later, are there once', async (t) => {
    const script = new Script().prompt('1').answer('2', '1').prompt('3', '2');
    const [first = '', second = ''] = script.lines;
    script.insert(2, second);
    for (let row = 0, above = '3'; row < recentLimit * 2; row += 1, above = `x${row - 1}`)
      script.prompt(`x${row}`, above);
    script.insert(script.lines.length, first).prompt('last', `x${recentLimit * 2 - 1}`);
    const { reader } = await captured(t, script.lines);
    const ids = [...reader.lines()].map((message) => message.msg_id);
    assert.equal(ids.length, recentLimit * 2 + 4);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(reader.liveIds().length, ids.length);
  });

  it('clocks that run backwards change neither the order nor the links', async (t) => {
    const script = new Script();
    script.prompt('1').row(answerRow('2'), '2', '1', -3_600_000).prompt('3', '2', {}, -3_600_000);
    script.prompt('4', 'lost', {}, -1000);
    const { reader } = await captured(t, script.lines);
    assert.deepEqual(
      [...reader.lines()].map((message) => message.parent_msg_id),
      [null, 'row-1', 'row-2', null],
    );
    assert.deepEqual(namesOf(reader).slice(-3), ['1', '2', '3']);
  });

  it('records glued to one line are read each; a torn one takes the one glued to it along, counted and kept', async (t) => {
    const script = new Script().prompt('1').answer('2', '1').prompt('3', '2', {}, 3000).answer('4', '3');
    const [first = '', second = '', third = '', fourth = ''] = script.lines;
    const { reader } = await captured(t, [first, second + third, '{"type":"us' + third, fourth]);
    assert.deepEqual(reader.commit?.records, { message: 4, malformed: 1 });
    assert.deepEqual(reader.manifest.metadata?.losses, { 'malformed-line': 1 });
    assert.deepEqual(namesOf(reader), ['1', '2', '3', '4']);
  });

  it('lines of 12 MB are read whole', async (t) => {
    const size = 12 * 1024 * 1024;
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBO'.repeat(size / 4) } };
    const script = new Script().prompt('1', undefined, { message: { role: 'user', content: 'a'.repeat(size) } });
    script
      .prompt('2', '1', { message: { role: 'user', content: [image] } })
      .side({ type: 'api-request-shape', blob: 'b'.repeat(size) })
      .answer('3', '2');
    const { reader, path } = await captured(t, script.lines);
    assert.deepEqual(reader.commit?.records, { message: 3, state: 1 });
    const [said, shown] = [...reader.lines()];
    assert.equal(said === undefined ? 0 : textOf(said).length, size);
    assert.deepEqual(shown?.content, [image]);
    const archived = reader.commit?.native['main'];
    assert.ok(archived !== undefined);
    const bytes = wholeArchive(reader.folder, 'main', archived);
    assert.ok(bytes.equals(readFileSync(path)));
  });

  it('a byte order mark, carriage returns and a last line without its end are no damage', async (t) => {
    const { lines } = new Script().prompt('1').answer('2', '1').prompt('3', '2');
    const { reader } = await captured(t, `\ufeff${lines.join('\r\n')}`);
    assert.deepEqual(reader.commit?.records, { message: 3 });
    assert.deepEqual(reader.liveIds(), ['row-1', 'row-2', 'row-3']);
  });
});

function answerRow(name: string): object {
  return {
    type: 'assistant',
    message: { id: `msg-${name}`, role: 'assistant', content: [{ type: 'text', text: name }] },
  };
}

/** The names of a session's rows in reading order. */
function namesOf(reader: SessionReader): string[] {
  return reader
    .timeline()
    .toArray()
    .map((message) => message.msg_id.replace('row-', ''));
}

/** Imports a session of these lines. */
async function captured(
  t: TestContext,
  lines: readonly string[] | string,
): Promise<{ readonly reader: SessionReader; readonly path: string }> {
  const place = scratch(t);
  const folder = join(place.home, '.claude', 'projects', '-home-me-proj');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${nativeId}.jsonl`);
  writeFileSync(path, typeof lines === 'string' ? lines : lines.map((line) => `${line}\n`).join(''));
  const { problems } = await importSessions(place.context, {}, quiet);
  assert.deepEqual(problems, []);
  const { reader } = await openSession(place.context, '@last');
  assert.equal(basename(path, '.jsonl'), reader.manifest.source.original_session_id);
  return { reader, path };
}
