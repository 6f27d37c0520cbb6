import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from './message.ts';
import { tidyTitle, titleFrom, titleLimit } from './title.ts';

const said = (text: string, more: Partial<Message> = {}): Message => ({
  msg_id: 'm',
  parent_msg_id: null,
  role: 'user',
  content: [{ type: 'text', text }],
  timestamp: '2026-01-01T00:00:00.000Z',
  ...more,
});

test('the first usable line of a prompt', () => {
  assert.equal(titleFrom(said('\n\nSee config.py in the root.\nThen fix it.')), 'See config.py in the root.');
  assert.equal(titleFrom(said('# Set up the CI pipeline')), 'Set up the CI pipeline');
  assert.equal(titleFrom(said('```\ncode\n```\nWhat does this do?')), 'What does this do?');
  assert.equal(titleFrom(said('修复登录错误')), '修复登录错误');
});

test('nothing to name a session by', () => {
  for (const text of [
    '',
    '  ',
    '/clear',
    '<tag>text</tag>',
    '---',
    '[Request interrupted by user]',
    '```\nonly code\n```',
    'ok',
  ]) {
    assert.equal(titleFrom(said(text)), undefined, JSON.stringify(text));
  }
});

test('injected context is never a title', () => {
  assert.equal(titleFrom(said('Caveat: the messages below', { is_meta: true })), undefined);
  assert.equal(titleFrom(said('Do the sub-task', { is_sidechain: true })), undefined);
  assert.equal(titleFrom(said('Environment', { role: 'developer' })), undefined);
});

test('long lines end at a word, on one line, without control characters', () => {
  const title = titleFrom(said(`${'word '.repeat(40)}`)) ?? '';
  assert.ok(title.length <= titleLimit);
  assert.match(title, /word…$/);
  assert.equal(tidyTitle('a\u001B[31m red\r\n title'), 'a [31m red title');
  assert.equal(tidyTitle(' \n '), undefined);
});
