import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retention as claudeCode } from '../claude-code/retention.ts';
import { retention as geminiCli } from '../gemini-cli/retention.ts';
import { settingsOf } from './settings.ts';

const gemini = (sessionRetention: unknown): string => JSON.stringify({ general: { sessionRetention } });

test('Claude Code deletes after 30 days unless it is told otherwise', () => {
  for (const [text, kept] of [
    [undefined, { days: 30, isDefault: true }],
    ['{"model":"opus"}', { days: 30, isDefault: true }],
    ['nonsense', { days: 30, isDefault: true }],
    ['{"cleanupPeriodDays":365}', { days: 365, isDefault: false }],
    ['{"cleanupPeriodDays":0}', { isDefault: false }],
    ['{"cleanupPeriodDays":"30"}', { isDefault: false }],
  ] as const)
    assert.deepEqual(claudeCode.read(text), kept, text);
});

test('Gemini CLI deletes after 30 days unless it is told otherwise', () => {
  for (const [text, kept] of [
    [undefined, { days: 30, isDefault: true }],
    ['{"general":{}}', { days: 30, isDefault: true }],
    [gemini({}), { days: 30, isDefault: false }],
    [gemini({ enabled: false }), { isDefault: false }],
    [gemini({ enabled: true, maxAge: '2w' }), { days: 14, isDefault: false }],
    [gemini({ maxAge: '48h', maxCount: 50 }), { days: 2, sessions: 50, isDefault: false }],
    [gemini({ maxAge: '12m' }), { days: 360, isDefault: false }],
    [gemini({ maxAge: 'for ever' }), { isDefault: false }],
    [gemini({ maxAge: '12h' }), { isDefault: false }],
    [gemini({ maxAge: '12h', minRetention: '1h' }), { days: 0.5, isDefault: false }],
    [gemini({ maxCount: 0 }), { isDefault: false }],
  ] as const)
    assert.deepEqual(geminiCli.read(text), kept, text);
});

test('what a person is told to write keeps every session', () => {
  for (const { keepAll, read } of [claudeCode, geminiCli]) {
    const { days = Infinity, sessions = Infinity } = read(`{ ${keepAll} }`);
    assert.ok(days >= 36_500 && sessions === Infinity);
  }
});

test('settings may hold comments, and text that looks like one', () => {
  assert.deepEqual(settingsOf('{ // one\n "a": "http://x/*y*/", /* two\n */ "b": "\\"//" }'), {
    a: 'http://x/*y*/',
    b: '"//',
  });
});
