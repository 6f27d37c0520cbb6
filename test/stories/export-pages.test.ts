/** Sessions as pages: everything is there, nothing in them can run or load, and size does not matter. */

import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { exportSession } from '../../src/actions/export.ts';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { openSession, timelineOf } from '../../src/actions/show.ts';
import { adapters } from '../../src/adapters/index.ts';
import { textOf } from '../../src/model/message.ts';
import type { SessionReader } from '../../src/store/session-reader.ts';
import { sfs } from '../support/command-line.ts';
import type { Scratch } from '../support/scratch.ts';
import { installRecording, recordingsOf, scratch } from '../support/scratch.ts';

const quiet = (): void => undefined;
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

interface Line {
  readonly msg_id: string;
  readonly [field: string]: unknown;
}

/** Takes in a session of these messages. */
async function taken(
  t: TestContext,
  lines: readonly Line[],
  manifest: Record<string, unknown> = {},
  live: readonly object[] = [],
): Promise<Scratch> {
  const place = scratch(t);
  const folder = join(place.folder, 'theirs.sfs');
  mkdirSync(join(folder, 'meta'), { recursive: true });
  const facts = {
    sfs_version: '0.1.0',
    session_id: 'ses_theirs123',
    created_at: '2026-11-01T10:00:00.000Z',
    source: { tool: 'claude-code' },
    title: 'Theirs',
    ...manifest,
  };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(facts));
  const text = (items: readonly object[]): string => items.map((item) => `${JSON.stringify(item)}\n`).join('');
  const timed = lines.map((line, index) => ({
    role: 'user',
    parent_msg_id: lines[index - 1]?.msg_id ?? null,
    timestamp: `2026-11-01T10:00:${String(index).padStart(2, '0')}.000Z`,
    ...line,
  }));
  writeFileSync(join(folder, 'messages.jsonl'), text(timed));
  if (live.length > 0) writeFileSync(join(folder, 'meta', 'live.jsonl'), text(live));
  await importSessions(place.context, { path: folder }, quiet);
  return place;
}

async function page(place: Scratch, format: string, session = '@last'): Promise<string> {
  const output = join(place.folder, 'out');
  const { files } = await exportSession(place.context, { session, format, output });
  return readFileSync(files[0] ?? '', 'utf8');
}

/** Puts lines behind the messages of a stored session. */
function appendCommitted(reader: SessionReader, lines: Iterable<string>): void {
  const path = join(reader.folder, 'messages.jsonl');
  for (const line of lines) appendFileSync(path, line);
  const commit = { ...reader.commit, messagesBytes: statSync(path).size };
  writeFileSync(join(reader.folder, 'meta', 'commit.json'), JSON.stringify(commit));
}

/** The tags and attributes a browser would see: whatever stands between `<` and `>`. */
function tagsOf(html: string): string[] {
  return [...html.matchAll(/<[^>]*>/g)].map(([tag]) => tag);
}

const attack = `</pre></style></title></textarea>--><script>alert(1)</script><img src=x onerror=alert(1)>"' onload='x' javascript:alert(1) &lt;b&gt; \u202Egnp \u0000`;
const harmless =
  /^<(!doctype html|\/?(html|head|body|main|header|nav|article|h1|h2|title|style|p|dl|div|dt|dd|em|ol|li|a|bdi|time|details|summary|strong|code|pre|ins|del|span|b|figure)|meta [^<>]*|html lang="en"|nav id="prompts" aria-label="Prompts"|article id="m\d+" class="[a-z ]+"|a href="#(m\d+|prompts)"|(h1|dd|code|pre) dir="auto"|div class="prose" dir="auto"|(p|div|dl|details|pre) class="[a-z ]+"|img alt="Image" src="data:image\/[a-z]+;base64,[A-Za-z0-9+/=]+")>$/;

test('HTML: foreign text in every field stays text', async (t) => {
  const blocks = [
    { type: 'text', text: `${attack}\n\`${attack}\`\n\`\`\`${attack}\n${attack}\n` },
    { type: 'thinking', text: attack, summary: attack },
    { type: 'thinking', text: '', summary: attack },
    { type: 'tool_use', tool_use_id: attack, name: attack, input: { [attack]: attack, deep: [{ [attack]: attack }] } },
    {
      type: 'tool_use',
      tool_use_id: 'e',
      name: 'Edit',
      input: { file_path: attack, old_string: attack, new_string: 'x' },
    },
    {
      type: 'tool_use',
      tool_use_id: 'p',
      name: 'Patch',
      input: { patch: `*** Begin Patch\n+${attack}\n@@ ${attack}` },
    },
    { type: 'tool_result', tool_use_id: attack, content: attack, is_error: true, exit_code: attack },
    { type: 'image', source: { type: 'base64', data: attack, media_type: 'image/png' } },
    { type: 'image', source: { type: 'base64', data: pixel, media_type: `image/png"${attack}` } },
    { type: 'image', source: { type: 'base64', data: 'PHN2Zz4=', media_type: 'image/svg+xml' } },
    { type: 'image', source: { type: 'base64', data: pixel, media_type: 'constructor' } },
    { type: 'image', source: { type: 'url', data: `javascript:alert(1)//${attack}` } },
    { type: 'image', source: { type: 'url', data: 'https://example.invalid/x.png' } },
    { type: 'summary', text: attack },
    { type: attack, [attack]: attack },
  ];
  const lines = ['user', 'assistant', 'system', 'developer', 'tool'].map((role) => ({
    msg_id: `${role}${attack}`,
    role,
    content: blocks,
    timestamp: attack,
    model: attack,
    agent_id: role === 'tool' ? attack : null,
  }));
  const place = await taken(t, lines, {
    title: attack,
    source: { tool: attack, tool_version: attack, interface: attack, original_session_id: attack },
    model: { model_id: attack },
    updated_at: attack,
    metadata: { losses: { [attack]: attack }, agent_calls: { [attack]: attack } },
  });
  const html = await page(place, 'html');
  assert.deepEqual(
    tagsOf(html.replace(/<style>[\s\S]*?<\/style>/, '')).filter((tag) => !harmless.test(tag)),
    [],
  );
  assert.ok(!/[\u0000\u202E]/.test(html));
  assert.match(html, /<meta http-equiv="Content-Security-Policy" content="default-src 'none';/);
});

test('HTML: a recording is whole: every text, call, result and image, and nothing is loaded', async (t) => {
  for (const adapter of adapters) {
    for (const recording of recordingsOf(adapter)) {
      const place = scratch(t);
      installRecording(place, adapter, recording);
      await importSessions(place.context, {}, quiet);
      for (const { session_id: id } of (await listSessions(place.context, {})).sessions) {
        const { reader } = await openSession(place.context, id);
        const html = await page(place, 'html', id);
        const shown = timelineOf(reader).toArray();
        const count = (pattern: RegExp): number => html.match(pattern)?.length ?? 0;
        const blocks = shown.flatMap(({ content }) => content);
        const liveOnly = [...reader.live()].filter(({ metadata }) => metadata?.live_only === true);
        assert.equal(count(/<article id="m\d+"/g), shown.length + liveOnly.length, id);
        const calls = blocks.filter(({ type }) => type === 'tool_use').length;
        assert.equal(count(/<details class="call">/g), calls, id);
        for (const message of shown) {
          const word = /[A-Za-z]{4,}/.exec(textOf(message))?.[0];
          if (word !== undefined) assert.ok(html.includes(word), word);
        }
        const live = shown.filter((message) => message.live).length + liveOnly.length;
        assert.equal(count(/<article id="m\d+" class="[a-z]+ live"/g), live, id);
        assert.deepEqual(
          tagsOf(html).filter(
            (tag) => /\s(src|href)="(?!#|data:image\/)/.test(tag) || /^<(script|link|iframe)/.test(tag),
          ),
          [],
        );
      }
    }
  }
});

test('HTML: edits are diffs, images stand in the file, sub-agents below their call', async (t) => {
  const place = await taken(
    t,
    [
      {
        msg_id: 'a',
        content: [
          { type: 'text', text: 'Fix it.' },
          { type: 'image', source: { type: 'base64', data: pixel } },
        ],
      },
      {
        msg_id: 'b',
        role: 'assistant',
        content: [
          {
            type: 'tool_use',
            tool_use_id: 'c1',
            name: 'Edit',
            input: { file_path: '/w/a.ts', old_string: 'one\ntwo\nthree', new_string: 'one\n2\nthree' },
          },
          { type: 'tool_use', tool_use_id: 'c2', name: 'Task', input: { prompt: 'Look' } },
        ],
      },
      { msg_id: 'd', content: [{ type: 'text', text: 'Aside' }] },
      {
        msg_id: 's',
        role: 'assistant',
        is_sidechain: true,
        agent_id: 'helper',
        parent_msg_id: 'b',
        content: [{ type: 'text', text: 'Deep' }],
      },
    ],
    { metadata: { agent_calls: { helper: 'c2' } } },
    [{ op: 'leaf', id: 'b' }],
  );
  const html = await page(place, 'html');
  assert.match(html, /<span> one<\/span>\n<del>-two<\/del>\n<ins>\+2<\/ins>\n<span> three<\/span>/);
  assert.ok(html.includes(`<img alt="Image" src="data:image/png;base64,${pixel}">`));
  assert.match(
    html,
    /class="assistant live"[\s\S]*<summary>Sub-agent <bdi>helper[\s\S]*Deep[\s\S]*<\/details>\n<article[\s\S]*Aside/,
  );
  assert.match(html, /not in the live view<\/em><\/h2>[\s\S]*Aside/);
  assert.match(html, /<nav[\s\S]*<a href="#m1"><bdi>Fix it\.[\s\S]*<a href="#m4"><bdi>Aside/);
});

test('HTML: sub-agents that call each other, and input nested beyond all measure, come out once', async (t) => {
  const call = (id: string): object => ({ type: 'tool_use', tool_use_id: id, name: 'Task', input: {} });
  const agents = Array.from({ length: 50 }, (_, index) => `agent${index}`);
  const lines = agents.map((agent, index) => ({
    msg_id: `m${index}`,
    role: 'assistant',
    is_sidechain: true,
    agent_id: agent,
    content: [call(agent)],
  }));
  const ring = Object.fromEntries(agents.map((agent, index) => [agent, agents[(index + 1) % 50]]));
  const place = await taken(t, lines, { metadata: { agent_calls: ring } });
  const { reader } = await openSession(place.context, '@last');
  const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  appendCommitted(reader, [
    `{"msg_id":"d","role":"assistant","timestamp":"2026-12-01T00:00:00Z","content":[{"type":"text","text":"kept"},{"type":"tool_use","tool_use_id":"c","name":"Odd","input":{"deep":${nested}}}]}\n`,
  ]);
  const html = await page(place, 'html');
  assert.equal(html.match(/<article/g)?.length, 51);
  assert.match(html, /kept[\s\S]*nested too deeply/);
});

test('Markdown: every role, images beside it, sub-agents, and no text closes or opens more than its own', async (t) => {
  const ticks = 'a ```` b\n```\nend';
  const place = await taken(
    t,
    [
      {
        msg_id: 'a',
        content: [
          { type: 'text', text: 'See <b> and `<i>`\n```html\n<u>\n' },
          { type: 'image', source: { type: 'base64', data: pixel, media_type: 'image/png' } },
          { type: 'image', source: { type: 'base64', data: pixel } },
          { type: 'image', source: { type: 'url', data: 'https://example.invalid/`x`.png' } },
        ],
      },
      {
        msg_id: 'b',
        role: 'assistant',
        model: 'model_1',
        content: [
          { type: 'thinking', text: 'Hm </details>' },
          { type: 'tool_use', tool_use_id: 'c1', name: 'Task', input: { prompt: ticks } },
          {
            type: 'tool_use',
            tool_use_id: 'c2',
            name: 'Edit',
            input: { file_path: 'a.ts', old_string: 'x\n1', new_string: 'x\n2' },
          },
        ],
      },
      {
        msg_id: 'c',
        role: 'tool',
        content: [{ type: 'tool_result', tool_use_id: '`c`', content: ticks, is_error: true, exit_code: 2 }],
      },
      { msg_id: 'd', role: 'system', content: [{ type: 'summary', text: 'So far' }] },
      { msg_id: 'e', role: 'developer', is_meta: true, content: [{ type: 'odd', text: '```' }] },
      {
        msg_id: 's',
        role: 'assistant',
        is_sidechain: true,
        agent_id: '<helper>',
        parent_msg_id: 'b',
        content: [{ type: 'text', text: 'Deep' }],
      },
    ],
    { title: '# [Title](x)', metadata: { agent_calls: { '<helper>': 'c1' } } },
    [{ op: 'leaf', id: 'd' }],
  );
  const { files } = await exportSession(place.context, { session: '@last', format: 'markdown', output: place.folder });
  const [file = '', image = '', ...others] = files;
  assert.deepEqual(others, []);
  assert.deepEqual(readFileSync(image), Buffer.from(pixel, 'base64'));
  const text = readFileSync(file, 'utf8');
  const address = image.slice(place.folder.length + 1);
  assert.equal(text.split(`![image](${address})`).length, 3);
  assert.equal(
    text.slice(text.indexOf('\n## ')),
    `
## User

*2026-11-01T10:00:00.000Z*

See &lt;b> and \`<i>\`
\`\`\`html
<u>

\`\`\`

![image](${address})

![image](${address})

*An image that is not in this session:* \`\`https://example.invalid/\`x\`.png\`\`

## Assistant

*2026-11-01T10:00:01.000Z* · model\\_1

<details><summary>Thinking</summary>

Hm &lt;/details>

</details>

**Task** \`c1\`

\`\`\`\`\`json
{
  "prompt": "a \`\`\`\` b\\n\`\`\`\\nend"
}
\`\`\`\`\`

**Edit** \`c2\`

\`\`\`json
{
  "file_path": "a.ts",
  "old_string": "x\\n1",
  "new_string": "x\\n2"
}
\`\`\`

\`a.ts\`

\`\`\`diff
 x
-1
+2
\`\`\`

<details><summary>Sub-agent &lt;helper&gt;</summary>

## Assistant

*2026-11-01T10:00:05.000Z*

Deep

</details>

## Tool result

*2026-11-01T10:00:02.000Z*

**Error** (exit 2) \`\` \`c\` \`\`

\`\`\`\`\`
${ticks}
\`\`\`\`\`

## System

*2026-11-01T10:00:03.000Z*

> **Summary**
>
> So far

## Context (put in by the tool) (not in the live view)

*2026-11-01T10:00:04.000Z*

<details><summary>Block of kind odd</summary>

\`\`\`\`json
{
  "type": "odd",
  "text": "\`\`\`"
}
\`\`\`\`

</details>
`,
  );
  await assert.rejects(
    exportSession(place.context, { session: '@last', format: 'md', output: place.folder }),
    /is there already/,
  );
});

test('a long session becomes a page in bounded memory', async (t) => {
  const place = await taken(t, [{ msg_id: 'a', content: [{ type: 'text', text: 'Begin' }] }]);
  const { reader } = await openSession(place.context, '@last');
  const result = 'A line of output that is long enough to be one.\n'.repeat(2000);
  function* lines(): Generator<string> {
    for (let number = 1000; number < 2000; number += 1) {
      yield `${JSON.stringify({
        msg_id: `r${number}`,
        parent_msg_id: 'a',
        role: 'tool',
        content: [{ type: 'tool_result', tool_use_id: 'c', content: result }],
        timestamp: `2026-11-01T11:00:00.${number}Z`,
      })}\n`;
    }
  }
  appendCommitted(reader, lines());
  for (const format of ['html', 'markdown']) {
    const ran = sfs(place, ['export', reader.id, '--format', format, '--output', place.folder], {
      env: { NODE_OPTIONS: '--max-old-space-size=64' },
    });
    assert.equal(ran.status, 0, ran.err);
    assert.ok(statSync(ran.out.trim()).size > 95_000_000);
  }
});
