import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Block } from './block.ts';
import { fit } from './budget.ts';
import type { Fit } from './budget.ts';
import { messageTokens, textTokens, tokensPerImage } from './estimate.ts';
import type { Message, MessageMetadata, Role } from './message.ts';
import { isHuman, textOf } from './message.ts';

const whole = 'sfs show ses_0123456789abcdef --messages';

/** Messages hung in a line, ids `m0`, `m1`, … */
function line(
  ...said: readonly (readonly [role: Role, content: readonly Block[], metadata?: MessageMetadata])[]
): Message[] {
  return said.map(([role, content, metadata], index) => ({
    msg_id: `m${index}`,
    parent_msg_id: index === 0 ? null : `m${index - 1}`,
    role,
    content,
    timestamp: new Date(index * 1000).toISOString(),
    ...(metadata === undefined ? {} : { metadata }),
  }));
}

const text = (words: string): Block[] => [{ type: 'text', text: words }];
const call = (id: string): Block => ({ type: 'tool_use', tool_use_id: id, name: 'Bash', input: { command: 'ls' } });
const result = (id: string, content: string): Block => ({ type: 'tool_result', tool_use_id: id, content });
const tokensOf = (messages: Iterable<Message>): number =>
  [...messages].reduce((sum, one) => sum + messageTokens(one), 0);

function fitted(messages: readonly Message[], budget: number): Extract<Fit, { fits: true }> {
  const outcome = fit(messages, budget, whole);
  assert.ok(outcome.fits, 'it fits');
  return outcome;
}

/** Two turns of about 1,000 and 2,000 tokens; each output is large. */
const twoTurns = line(
  ['user', text('First.')],
  ['assistant', [call('a')]],
  ['tool', [result('a', `${'a'.repeat(3996)}${'z'.repeat(1000)}`)]],
  ['assistant', text('Done.')],
  ['user', text('Second.')],
  ['assistant', [call('b')]],
  ['tool', [result('b', 'b'.repeat(8000))]],
  ['assistant', text('Done again.')],
);

describe('the estimate', () => {
  test('is a quarter of the UTF-8 bytes, rounded up', () => {
    assert.deepEqual(['', 'a', 'abcd', 'abcde', '日本語', '😀'].map(textTokens), [0, 1, 1, 2, 3, 1]);
  });

  test('counts what goes along and nothing else', () => {
    const [prompt, injected, summary, aside] = line(
      ['user', [...text('abcd'), { type: 'image', source: { type: 'base64', data: 'x'.repeat(100_000) } }]],
      ['developer', text('rules')],
      ['system', [{ type: 'summary', text: 'abcdefgh' }]],
      ['assistant', [{ type: 'thinking', text: 'a long thought' }, ...text('abcd')]],
    );
    assert.ok(prompt && injected && summary && aside);
    assert.deepEqual(
      [prompt, { ...prompt, is_meta: true }, injected, summary, aside, { ...aside, is_sidechain: true }].map(
        messageTokens,
      ),
      [4 + 1 + tokensPerImage, 0, 0, 4 + 2, 4 + 1, 0],
    );
  });
});

describe('what is left out', () => {
  test('nothing where all of it fits: the very messages', () => {
    const outcome = fitted(twoTurns, tokensOf(twoTurns));
    assert.equal(outcome.messages, twoTurns);
    assert.deepEqual(outcome.leftOut, { outputs: 0, images: 0, turns: 0, messages: 0 });
    assert.equal(outcome.before, outcome.after);
  });

  test('first the oldest large output, down to head and tail with a pointer', () => {
    const outcome = fitted(twoTurns, tokensOf(twoTurns) - 1);
    const messages = [...outcome.messages];
    assert.deepEqual(outcome.leftOut, { outputs: 1, images: 0, turns: 0, messages: 0 });
    assert.deepEqual(messages[2]?.content, [
      result(
        'a',
        `${'a'.repeat(1024)}\n[2948 characters left out to fit the budget; the whole output: ${whole}]\n${'a'.repeat(24)}${'z'.repeat(1000)}`,
      ),
    ]);
    assert.deepEqual(messages.toSpliced(2, 1), twoTurns.toSpliced(2, 1));
  });

  test('then the newer outputs, then whole turns from the oldest on, a notice in their place', () => {
    const outputs = fitted(twoTurns, 1200);
    assert.deepEqual(outputs.leftOut, { outputs: 2, images: 0, turns: 0, messages: 0 });
    const turns = fitted(twoTurns, 700);
    assert.deepEqual(turns.leftOut, { outputs: 1, images: 0, turns: 1, messages: 4 });
    const [notice, ...kept] = turns.messages;
    assert.equal(
      notice && textOf(notice),
      `[4 messages were left out here to fit the budget (1 prompt among them); the whole session: ${whole}]`,
    );
    assert.equal(notice && isHuman(notice), false, 'it is no person’s');
    assert.deepEqual(
      kept.map(({ msg_id: id }) => id),
      ['m4', 'm5', 'm6', 'm7'],
    );
    assert.equal(kept[0]?.parent_msg_id, notice?.msg_id);
  });

  test('of the last turn its oldest steps, after the prompt', () => {
    const outcome = fitted(twoTurns, 100);
    assert.deepEqual(outcome.leftOut, { outputs: 0, images: 0, turns: 1, messages: 6 });
    assert.deepEqual(
      [...outcome.messages].map((message) => (message.is_meta === true ? 'notice' : message.msg_id)),
      ['notice', 'm4', 'notice', 'm7'],
    );
  });

  test('images of outputs, and what said whose they are', () => {
    const [prompt, made, gave] = line(
      ['user', text('Look.')],
      ['assistant', [call('a')]],
      [
        'tool',
        [result('a', 'seen'), { type: 'image', source: { type: 'url', data: 'x' } }],
        { result_images: { '1': 'a' } },
      ],
    );
    assert.ok(prompt && made && gave);
    const outcome = fitted([prompt, made, gave], 200);
    assert.deepEqual(outcome.leftOut, { outputs: 0, images: 1, turns: 0, messages: 0 });
    assert.deepEqual([...outcome.messages][2], {
      ...gave,
      content: [result('a', `seen\n[1 image was left out to fit the budget; see: ${whole}]`)],
      metadata: {},
    });
  });

  test('what a person says while a call runs does not part it from its result', () => {
    const messages = line(
      ['user', text('x'.repeat(400))],
      ['assistant', text('y'.repeat(400))],
      ['assistant', [call('a')]],
      ['user', text('And hurry.')],
      ['tool', [result('a', 'done')]],
    );
    assert.deepEqual(
      [...fitted(messages, 120).messages].map((message) => (message.is_meta === true ? 'notice' : message.msg_id)),
      ['notice', 'm2', 'm3', 'm4'],
    );
  });

  test('a last prompt that is too large says what it takes, and that much is enough', () => {
    const outcome = fit(twoTurns, 10, whole);
    assert.ok(!outcome.fits);
    assert.equal(fitted(twoTurns, outcome.needs).after, outcome.needs);
    assert.equal(fit(twoTurns, outcome.needs - 1, whole).fits, false);
  });

  test('where nobody prompts after a compaction, its summary stays', () => {
    const messages = line(
      ['system', [{ type: 'summary', text: 's'.repeat(200) }]],
      ['assistant', text('y'.repeat(400))],
      ['assistant', text('Done.')],
    );
    assert.deepEqual(
      [...fitted(messages, 110).messages].map((message) => (message.is_meta === true ? 'notice' : message.msg_id)),
      ['m0', 'notice', 'm2'],
    );
  });

  test('of no messages, none', () => {
    assert.deepEqual([...fitted([], 1).messages], []);
  });
});

describe('of any conversation and any budget', () => {
  /** Calls are answered at once, later, or never; prompts come in between; responses have several parts. */
  const step = fc.oneof(
    fc.record({ kind: fc.constant('prompt' as const), size: fc.nat(600) }),
    fc.record({ kind: fc.constant('context' as const), size: fc.nat(600) }),
    fc.record({ kind: fc.constant('answer' as const), size: fc.nat(600) }),
    fc.record({ kind: fc.constant('call' as const), size: fc.nat(12_000), after: fc.nat(3), images: fc.nat(2) }),
    fc.record({ kind: fc.constant('unanswered' as const), size: fc.nat(100) }),
  );
  const conversations = fc.array(step, { minLength: 1, maxLength: 30 }).map((steps) => {
    const said: [Role, Block[], MessageMetadata?][] = [];
    let late: { left: number; readonly content: Block[] }[] = [];
    for (const [index, one] of steps.entries()) {
      const id = `call${index}`;
      const words = 'é'.repeat(one.size);
      if (one.kind === 'prompt') said.push(['user', text(`p${words}`)]);
      else if (one.kind === 'context') said.push(['developer', text(`c${words}`)]);
      else if (one.kind === 'answer') said.push(['assistant', text(`a${words}`)]);
      else {
        said.push(['assistant', text('now'), { response_id: id }], ['assistant', [call(id)], { response_id: id }]);
        const images = one.kind === 'call' ? one.images : 0;
        const image: Block = { type: 'image', source: { type: 'url', data: 'x' } };
        if (one.kind === 'call')
          late.push({ left: one.after, content: [result(id, words), ...Array.from({ length: images }, () => image)] });
      }
      for (const due of late) {
        if (due.left === 0) said.push(['tool', due.content]);
        due.left -= 1;
      }
      late = late.filter(({ left }) => left >= 0);
    }
    return line(...said);
  });

  test('it is within the budget or says what it needs; order, pairs, parents and the last prompt hold', () => {
    fc.assert(
      fc.property(conversations, fc.integer({ min: 1, max: 20_000 }), (messages, budget) => {
        const outcome = fit(messages, budget, whole);
        assert.equal(outcome.before, tokensOf(messages));
        if (!outcome.fits) {
          assert.ok(outcome.needs > budget);
          const human = messages.findLast(isHuman);
          assert.ok(fit(messages, outcome.needs, whole).fits, 'what it needs is enough');
          if (human !== undefined) assert.ok(outcome.needs >= messageTokens(human));
          return;
        }
        const kept = [...outcome.messages];
        assert.equal(tokensOf(kept), outcome.after);
        assert.ok(outcome.after <= budget);
        const ids = new Set(kept.map(({ msg_id: id }) => id));
        const own = kept.filter(({ msg_id: id }) => id.startsWith('m') && !id.startsWith('msg_'));
        const expected = messages.filter(({ msg_id: id }) => ids.has(id)).map(({ msg_id: id }) => id);
        assert.deepEqual(
          own.map(({ msg_id: id }) => id),
          expected,
          'in order',
        );
        assert.deepEqual(pairsOf(kept), new Map([...pairsOf(messages)].filter(([id]) => pairsOf(kept).has(id))));
        for (const [index, { parent_msg_id: parent }] of kept.entries())
          assert.equal(parent, index === 0 ? null : kept[index - 1]?.msg_id, 'hung on the one before');
        const last = messages.findLast(isHuman);
        if (last !== undefined) assert.deepEqual(kept.findLast(isHuman)?.content, last.content);
        const gone = messages.filter((message) => !ids.has(message.msg_id) && messageTokens(message) > 0);
        assert.equal(outcome.leftOut.messages, gone.length);
        assert.equal(outcome.leftOut.turns, gone.filter(isHuman).length);
      }),
      { numRuns: 300 },
    );
  });
});

/** By call: is it made, is it answered? */
function pairsOf(messages: readonly Message[]): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const message of messages)
    for (const block of message.content) {
      if (!('tool_use_id' in block) || typeof block.tool_use_id !== 'string') continue;
      const id = block.tool_use_id;
      pairs.set(id, `${pairs.get(id) ?? ''} ${block.type}`);
    }
  return pairs;
}
