import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { isYes } from './ask.ts';

async function answered(text: string): Promise<readonly [boolean, string]> {
  const input = new PassThrough();
  const output = new PassThrough();
  input.end(text);
  const yes = await isYes('Remove 2 sessions for good?', { input, output });
  return [yes, String(output.read())];
}

test('only y and yes are yes; an empty line, anything else and the end of the input are no', async () => {
  for (const text of ['y\n', 'Y\n', ' yes \n', 'YES\r\n']) assert.equal((await answered(text))[0], true, text);
  for (const text of ['\n', 'n\n', 'no\n', 'yess\n', 'y y\n', '']) assert.equal((await answered(text))[0], false, text);
  assert.match((await answered('n\n'))[1], /^Remove 2 sessions for good\? \[y\/N\] /);
});
