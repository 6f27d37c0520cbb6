/** The documentation says what the code does: generated parts are current, links lead somewhere, examples are valid. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { exportSession } from '../src/actions/export.ts';
import { importSessions } from '../src/actions/import.ts';
import { listSessions } from '../src/actions/list.ts';
import { resume } from '../src/actions/resume.ts';
import { decodeLiveOp, decodeMessage } from '../src/format/decode.ts';
import { contentId, revisionId, sessionId } from '../src/model/ids.ts';
import type { LiveOp } from '../src/model/live.ts';
import { liveIds } from '../src/model/live.ts';
import type { Message } from '../src/model/message.ts';
import { archivedBytes, emptyArchive } from '../src/store/archive.ts';
import { SessionReader } from '../src/store/session-reader.ts';
import { diary } from './stories/diary/index.ts';
import { schemas } from './support/schemas.ts';
import { scratch } from './support/scratch.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const skipped = new Set(['node_modules', 'dist', 'fixtures', '.git', '.sample']);

function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function pagesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (skipped.has(name)) return [];
    if (statSync(path).isDirectory()) return pagesBelow(path);
    return name.endsWith('.md') ? [path] : [];
  });
}

/** The fenced blocks of a page by what stands behind the language: `json manifest.json` → `manifest.json`. */
function blocksOf(page: string, name: string): string[] {
  const pattern = new RegExp(`^\`\`\`jsonl? ${name.replaceAll('.', '\\.')}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...page.matchAll(pattern)].map((match) => match[1] ?? '');
}

function blockOf(page: string, name: string): string {
  const [block, ...others] = blocksOf(page, name);
  assert.ok(block !== undefined && others.length === 0, `there is one block ${name}`);
  return block;
}

function linesOf(block: string): unknown[] {
  return block
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

test('docs/cli.md, docs/carried.md and the README’s table of tools are current', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts', 'docs.ts'), '--check'], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
});

test('links between pages lead somewhere', () => {
  const dead = pagesBelow(root).flatMap((page) => {
    const prose = readFileSync(page, 'utf8').replaceAll(/^```[\s\S]*?^```$/gm, '');
    return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
      if (/^[a-z]+:/.test(link)) return [];
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      const isThere = existsSync(target) && (anchor === undefined || anchorsOf(target).has(anchor));
      return isThere ? [] : [`${relative(root, page)}: ${link}`];
    });
  });
  assert.deepEqual(dead, []);
});

/** What a heading can be linked to by, as the usual renderers spell it. */
function anchorsOf(page: string): Set<string> {
  return new Set(
    [...readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );
}

test('the architecture page shows the ladder the house test checks', () => {
  const checked = /^const ladder[^{]*\{\n([\s\S]*?)^\};/m.exec(textOf('test/house.test.ts'))?.[1] ?? '';
  const rungs = [...checked.matchAll(/^\s+(\w+): \[(.*)\],$/gm)].map(
    ([, room = '', may = '']) => [room, may.replaceAll("'", '')] as const,
  );
  const shown = [...textOf('ARCHITECTURE.md').matchAll(/^\| `(\w+)` \| [^|]* \| ([^|]*) \|$/gm)].map(
    ([, room = '', may = '']) => [room, may.trim().replace(/^nothing$/, '')] as const,
  );
  assert.ok(rungs.length > 0);
  assert.deepEqual(shown, rungs);
});

test('docs/format.md: the example session is valid and reads as it says', (t) => {
  const page = textOf('docs/format.md');
  const folder = join(scratch(t).folder, 'ses_2cac1b356ee1c567.sfs');
  mkdirSync(join(folder, 'meta'), { recursive: true });
  const names = [
    'manifest.json',
    'messages.jsonl',
    'workspace.json',
    'tools.json',
    'meta/live.jsonl',
    'meta/commit.json',
  ];
  for (const name of names) writeFileSync(join(folder, name), blockOf(page, name));
  const reader = SessionReader.at(folder);
  assert.deepEqual(schemas.manifest(reader.manifest), []);
  assert.deepEqual(schemas.workspace(reader.workspace), []);
  assert.deepEqual(schemas.tools(reader.tools), []);
  for (const message of reader.lines()) assert.deepEqual(schemas.message(message), []);
  const ids = [1, 2, 3, 4, 5, 6].map((number) => `a000000${number}-0000-4000-8000-000000000000`);
  assert.deepEqual(
    reader
      .timeline()
      .toArray()
      .map(({ msg_id: id }) => id),
    ids,
  );
  assert.deepEqual(reader.liveIds(), ids);
  const { commit } = reader;
  assert.deepEqual(
    [commit?.messagesBytes, commit?.liveBytes],
    ['messages.jsonl', 'meta/live.jsonl'].map((name) => statSync(join(folder, name)).size),
  );
  assert.deepEqual([commit?.keysBytes, commit?.keys?.every(([, id]) => ids.includes(id))], [0, true]);
  assert.equal(archivedBytes(commit?.native['main'] ?? emptyArchive), commit?.cursors['main']?.offset);
  const { source, session_id: id } = reader.manifest;
  assert.equal(id, sessionId(source.tool, source.original_session_id ?? ''));
});

test('docs/format.md: ids are made as it says', () => {
  const page = textOf('docs/format.md');
  const imported = sessionId('sfs', 'claude-code\nses_2cac1b356ee1c567');
  const first = contentId(null, 'user', [{ type: 'text', text: 'Hello' }]);
  const second = contentId(first, 'assistant', [{ type: 'text', text: 'Hi.' }]);
  const revision = linesOf(blockOf(page, 'timeline')).at(-1) as Message;
  assert.equal(revision.msg_id, revisionId('m2', revision));
  for (const id of [imported, first, second, revision.msg_id]) assert.ok(page.includes(`| \`${id}\` |`), id);
});

test('docs/format.md: the timeline and every live view come out as it says', (t) => {
  const page = textOf('docs/format.md');
  const folder = scratch(t).folder;
  writeFileSync(join(folder, 'manifest.json'), blockOf(page, 'manifest.json'));
  writeFileSync(join(folder, 'messages.jsonl'), blockOf(page, 'timeline'));
  for (const line of linesOf(blockOf(page, 'timeline'))) assert.deepEqual(schemas.message(line), []);
  const timeline = SessionReader.at(folder).timeline().toArray();
  assert.equal(timeline.map(({ msg_id: id }) => id).join(' '), /^Timeline: `(.*)`$/m.exec(page)?.[1]);

  const parents = { a: null, b: 'a', c: 'b', d: 'c', e: 'b', s: null, k: null };
  const links = new Map(Object.entries(parents).map(([id, parent]) => [id, { parent, sidechain: false }]));
  const examples = [...page.matchAll(/^```jsonl live\n([\s\S]*?)^```\n\nLive view: (.*)$/gm)];
  assert.equal(examples.length, blocksOf(page, 'live').length);
  for (const [, block = '', shown = ''] of examples) {
    const ops = block
      .trim()
      .split('\n')
      .map((line) => decodeLiveOp(line))
      .filter((op): op is LiveOp => op !== undefined);
    assert.equal(liveIds(links, ops).join(' ') || 'nothing', shown.replaceAll('`', ''), block);
  }
});

test('README.md: JSON has the fields it shows', async (t) => {
  const page = textOf('README.md');
  const place = scratch(t, { adapters: [diary] });
  mkdirSync(join(place.home, '.diary'));
  const lines = [
    { title: 'Gate', where: place.project },
    { who: 'me', said: 'It squeaks.', at: '2026-11-01T10:00:00.000Z' },
  ];
  writeFileSync(join(place.home, '.diary', 'gate.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  await importSessions(place.context, {}, () => undefined);
  const real = {
    'list --json': (await listSessions(place.context, {})).sessions[0],
    'resume --json': await resume(place.context, { session: '@last' }),
    'export --json': await exportSession(place.context, { session: '@last', format: 'sfs', output: place.project }),
  };
  for (const [name, value] of Object.entries(real)) {
    const shown: unknown = JSON.parse(blockOf(page, name));
    assert.deepEqual(
      fieldsOf(Array.isArray(shown) ? shown[0] : shown),
      fieldsOf(JSON.parse(JSON.stringify(value))),
      name,
    );
  }
});

function fieldsOf(value: unknown): string[] {
  assert.ok(typeof value === 'object' && value !== null);
  return Object.keys(value);
}

test('messages in examples are ones', () => {
  const page = textOf('docs/format.md');
  for (const name of ['messages.jsonl', 'timeline'])
    for (const line of blockOf(page, name).trim().split('\n')) assert.ok(decodeMessage(line) !== undefined, line);
});
