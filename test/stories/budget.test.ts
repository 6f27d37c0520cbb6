/** A session that is larger than what the other model sees: `sfs resume --budget`. */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import type { Resumed } from '../../src/actions/resume.ts';
import { adapters } from '../../src/adapters/index.ts';
import type { Block } from '../../src/model/block.ts';
import type { Message, Role } from '../../src/model/message.ts';
import { SessionReader } from '../../src/store/session-reader.ts';
import { sfs } from '../support/command-line.ts';
import type { Ran } from '../support/command-line.ts';
import type { Scratch } from '../support/scratch.ts';
import { installRecording, recordingsOf, scratch } from '../support/scratch.ts';

const id = 'ses_00000000budget00';
const targets = adapters.filter(({ writer }) => writer !== undefined);

/** A store with one session: three turns, each with a call and its large output, about 7,500 tokens. */
function orchard(t: TestContext): Scratch {
  const place = scratch(t);
  const said: [Role, Block][] = ['first', 'second', 'third'].flatMap((name, index): [Role, Block][] => [
    ['user', { type: 'text', text: `The ${name} prompt.` }],
    ['assistant', { type: 'tool_use', tool_use_id: `call${index}`, name: 'Bash', input: { command: `cat ${name}` } }],
    [
      'tool',
      {
        type: 'tool_result',
        tool_use_id: `call${index}`,
        content: `${name} begins\n${'x'.repeat(9900)}\n${name} ends`,
      },
    ],
    ['assistant', { type: 'text', text: `The ${name} answer.` }],
  ]);
  const messages = said.map(([role, block], index): Message => ({
    msg_id: `m${index}`,
    parent_msg_id: index === 0 ? null : `m${index - 1}`,
    role,
    content: [block],
    timestamp: `2026-11-01T10:00:${String(index).padStart(2, '0')}.000Z`,
  }));
  const folder = join(place.folder, `${id}.sfs`);
  mkdirSync(folder);
  const manifest = {
    sfs_version: '0.1.0',
    session_id: id,
    title: 'Orchard',
    created_at: '2026-11-01T10:00:00.000Z',
    source: { tool: 'claude-code' },
  };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'messages.jsonl'), messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  const { status, err } = sfs(place, ['import', folder]);
  assert.equal(status, 0, err);
  return place;
}

function resume(place: Scratch, ...options: readonly string[]): Ran {
  return sfs(place, ['resume', '@last', '--project', place.project, '--no-launch', ...options]);
}

function resumed(place: Scratch, ...options: readonly string[]): Resumed {
  const { status, out, err } = resume(place, '--json', ...options);
  assert.equal(status, 0, err);
  return JSON.parse(out) as Resumed;
}

for (const target of targets)
  describe(target.name, () => {
    test('gets head and tail of the older outputs, and the whole session stays', (t) => {
      const place = orchard(t);
      const parent = sfs(place, ['list', '--quiet']).out.trim();
      const { budget, carried, losses, ...child } = resumed(place, '--in', target.id, '--budget', '4000');
      assert.ok(budget !== undefined);
      assert.deepEqual(
        [budget.tokens, budget.model, budget.context_window, budget.whole, budget.left_out],
        [4000, null, null, `sfs show ${parent} --messages`, { outputs: 2, images: 0, turns: 0, messages: 0 }],
      );
      assert.ok(budget.estimate_before > 7500 && budget.estimate_after <= 4000, JSON.stringify(budget));
      assert.deepEqual([carried.user_texts, carried.calls, carried.results], [3, 3, 3]);
      assert.equal(losses['over-budget-output'], 2);
      const native = child.files.map((path) => readFileSync(path, 'utf8')).join('');
      for (const words of ['first begins', 'first ends', 'second ends', 'third begins', 'the whole output: sfs show '])
        assert.ok(native.includes(words), words);
      assert.equal(native.split('characters left out to fit the budget').length - 1 >= 2, true);
      assert.equal(child.how, 'converted');
      const source = SessionReader.open(place.context.store, parent);
      assert.ok([...source.live()].every((message) => !JSON.stringify(message).includes('to fit the budget')));
    });

    test('gets the last turn with a notice where the others were; its child is whole, and capture adds nothing', (t) => {
      const place = orchard(t);
      const { budget, session_id: child, ...rest } = resumed(place, '--in', target.id, '--budget', '700');
      assert.deepEqual(budget?.left_out, { outputs: 1, images: 0, turns: 2, messages: 8 });
      assert.ok(budget.estimate_after <= 700);
      const native = rest.files.map((path) => readFileSync(path, 'utf8')).join('');
      assert.ok(native.includes('[8 messages were left out here to fit the budget (2 prompts among them); the whole '));
      assert.ok(native.includes('The third prompt.') && native.includes('third ends'));
      assert.ok(!native.includes('The first prompt.') && !native.includes('The second answer.'));
      const reader = SessionReader.open(place.context.store, child);
      const live = [...reader.live()];
      assert.deepEqual(live.map(({ msg_id: msg }) => msg).slice(1), ['m8', 'm9', 'm10', 'm11']);
      for (const [index, { parent_msg_id: parent }] of live.entries())
        assert.equal(parent, live[index - 1]?.msg_id ?? null);
      assert.deepEqual(reader.manifest.metadata?.['conversion_losses'], {
        'over-budget-output': 1,
        'over-budget-message': 8,
      });
      const again = sfs(place, ['import']);
      assert.equal(again.status, 0, again.err);
      assert.deepEqual([...SessionReader.open(place.context.store, child).lines()].length, live.length);
    });

    test('auto fills three quarters of the window of the model it is started with', (t) => {
      const place = orchard(t);
      const { budget } = resumed(place, '--in', target.id, '--budget', 'auto', '--model', 'claude-sonnet-4-5');
      assert.deepEqual(
        [budget?.tokens, budget?.model, budget?.context_window, budget?.whole],
        [150_000, 'claude-sonnet-4-5', 200_000, null],
      );
      assert.equal(budget?.estimate_after, budget?.estimate_before);
    });
  });

test('auto without a model is about the one the newest session of the tool ran on', (t) => {
  const place = orchard(t);
  const [target] = targets;
  assert.ok(target !== undefined);
  const session = sfs(place, ['list', '--quiet']).out.trim();
  installRecording(place, target, recordingsOf(target).at(-1) ?? '');
  assert.equal(sfs(place, ['import']).status, 0);
  const listed = JSON.parse(sfs(place, ['list', '--tool', target.id, '--json']).out) as { model: string | null }[];
  const where = ['--project', place.project, '--in', target.id];
  const { status, out, err } = sfs(place, ['resume', session, ...where, '--budget', 'auto', '--json']);
  assert.equal(status, 0, err);
  const { budget } = JSON.parse(out) as Resumed;
  assert.ok(budget?.model != null && budget.context_window !== null);
  assert.equal(budget.model, listed.find(({ model }) => model !== null)?.model);
  assert.equal(budget.tokens, Math.floor(budget.context_window * 0.75));
});

test('says in words what was left out, or that all of it fits', (t) => {
  const place = orchard(t);
  const target = targets[1]?.id ?? '';
  const some = resume(place, '--in', target, '--budget', '700').out;
  assert.match(some, /^Fitted into a budget of 700 tokens: from about 7,\d{3} to \d{3}, estimated from its bytes\.$/m);
  assert.match(
    some,
    /^Left out: the middle of 1 large output, 8 messages \(2 prompts among them\)\. The whole: sfs show ses_\w+ --messages$/m,
  );
  const all = resume(orchard(t), '--in', target, '--budget', '90000').out;
  assert.match(all, /^All of it fits a budget of 90,000 tokens: about 7,\d{3}, estimated from its bytes\.$/m);
});

describe('what cannot be', () => {
  const cases: readonly { readonly options: readonly string[]; readonly says: RegExp }[] = [
    ...['0', '-5', 'many', '1.5'].map((budget) => ({
      options: [`--budget=${budget}`],
      says: /is no budget: give a whole number of tokens above 0, or auto/,
    })),
    {
      options: ['--budget', '5'],
      says: /a budget of 5 tokens does not hold the last prompt of ses_\w+: that takes about \d+\nhint: give it more: --budget \d+/,
    },
    {
      options: ['--budget', 'auto', '--model', 'nobody-knows'],
      says: /the context window of nobody-knows is not known\nhint: give a number of tokens: --budget 100000/,
    },
    {
      options: ['--budget', 'auto'],
      says: /which model Codex CLI starts with is not known, so neither is its context window\nhint: name the model: --model MODEL/,
    },
  ];
  for (const { options, says } of cases)
    test(`${options.join(' ')}: exit 2, and nothing is written`, (t) => {
      const place = orchard(t);
      const { status, out, err } = resume(place, '--in', targets[1]?.id ?? '', ...options);
      assert.match(err, says);
      assert.deepEqual([status, out], [2, '']);
      assert.equal(sfs(place, ['list', '--quiet', '--all']).out.trim().split('\n').length, 1);
    });
});
