/** An index that is damaged anywhere: it is made again, at once or by the next command, and nobody has to remove it. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { adapters } from '../../src/adapters/index.ts';
import { SessionFsError } from '../../src/errors.ts';
import { installRecording, recordingsOf, scratch } from '../support/scratch.ts';

const pageBytes = 4096;

for (const [how, damage] of [
  ['cut off at', (bytes: Buffer, at: number) => bytes.subarray(0, at)],
  [
    'overwritten at',
    (bytes: Buffer, at: number) =>
      Buffer.concat([bytes.subarray(0, at), Buffer.alloc(pageBytes, 7), bytes.subarray(at + pageBytes)]),
  ],
] as const)
  test(`an index that is ${how} any page`, async (t) => {
    const place = scratch(t);
    for (const adapter of adapters) installRecording(place, adapter, recordingsOf(adapter).at(-1) ?? '');
    await importSessions(place.context, {}, () => undefined);
    const { sessions: expected } = await listSessions(place.context, {});
    assert.ok(expected.length > 0);
    const whole = readFileSync(place.context.store.index);
    let refused = 0;
    for (let at = 0; at < whole.length; at += pageBytes) {
      writeFileSync(place.context.store.index, damage(whole, at));
      const work = async (): Promise<void> => {
        const { sessions } = await importSessions(place.context, {}, () => undefined);
        assert.ok(sessions.every(({ outcome }) => outcome !== 'failed'));
        assert.deepEqual((await listSessions(place.context, {})).sessions, expected, `page ${at / pageBytes}`);
      };
      await work().catch(async (cause: unknown) => {
        assert.ok(cause instanceof SessionFsError, String(cause));
        assert.match(`${cause.hint}`, /run the same command again/);
        refused += 1;
        await work();
      });
    }
    t.diagnostic(`${whole.length / pageBytes} pages, ${refused} met in the midst of a command`);
  });
