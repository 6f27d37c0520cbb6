/** A tool compresses a cold log and unpacks it again: one session all the while, and nothing is read twice. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { resume } from '../../src/actions/resume.ts';
import { openSession } from '../../src/actions/show.ts';
import { adapter as codex } from '../../src/adapters/codex/index.ts';
import type { Scratch } from '../support/scratch.ts';
import { installRecording, nativeBytes, scratch } from '../support/scratch.ts';

const quiet = (): void => undefined;

/** One frame with a checksum, as tools write it. */
function packedAs(bytes: Buffer): Buffer {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
}

interface Log extends Scratch {
  readonly plain: string;
  readonly packed: string;
  readonly bytes: Buffer;
  pack(content: Buffer): void;
}

function packedLog(t: TestContext): Log {
  const place = scratch(t);
  const day = join(installRecording(place, codex, '0.169.0-packed'), 'sessions/2026/11/23');
  const packed = join(day, readdirSync(day)[0] ?? '');
  // Its workspace is on this machine, so that it can be resumed.
  const bytes = Buffer.from(nativeBytes(packed).toString('utf8').replaceAll('/home/me/codex/work', place.project));
  writeFileSync(packed, packedAs(bytes));
  return {
    ...place,
    packed,
    plain: packed.slice(0, -'.zst'.length),
    bytes,
    pack: (content) => writeFileSync(packed, packedAs(content)),
  };
}

/** A prompt behind what is there. */
function grown(bytes: Buffer, text: string): Buffer {
  const payload = { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
  const record = { timestamp: '2026-11-24T08:00:00.000Z', ordinal: 99, type: 'response_item', payload };
  return Buffer.concat([bytes, Buffer.from(`${JSON.stringify(record)}\n`)]);
}

async function state(place: Log): Promise<readonly [messages: number, records: number, generations: string[]]> {
  const { sessions } = await listSessions(place.context, {});
  assert.equal(sessions.length, 1);
  const { reader } = await openSession(place.context, '@last');
  const native = Object.entries(reader.commit?.native ?? {}).map(
    ([key, { generation }]) => `${key.slice(-4)} ${generation}`,
  );
  const records = Object.values(reader.commit?.records ?? {}).reduce((sum, count) => sum + (count ?? 0), 0);
  return [reader.timeline().toArray().length, records, native];
}

describe('a log that its tool packs', () => {
  test('and unpacks stays one session, whatever form it has when it is captured', async (t) => {
    const place = packedLog(t);
    const { plain, packed, bytes } = place;
    rmSync(packed);
    writeFileSync(plain, bytes);
    await importSessions(place.context, {}, quiet);
    assert.deepEqual(await state(place), [4, 16, ['4bc9 0']]);

    rmSync(plain);
    place.pack(bytes);
    await importSessions(place.context, {}, quiet);
    assert.deepEqual(await state(place), [4, 16, ['4bc9 0']]);

    const more = grown(bytes, 'and then?');
    rmSync(packed);
    writeFileSync(plain, more);
    await importSessions(place.context, {}, quiet);
    assert.deepEqual(await state(place), [5, 17, ['4bc9 0']]);

    const most = grown(more, 'and then again?');
    rmSync(plain);
    place.pack(most);
    await importSessions(place.context, {}, quiet);
    assert.deepEqual(await state(place), [6, 18, ['4bc9 0']]);
    assert.deepEqual((await importSessions(place.context, {}, quiet)).sessions, []);
    assert.equal((await listSessions(place.context, {})).sessions[0]?.ghost, false);
    const { reader } = await openSession(place.context, '@last');
    assert.deepEqual(
      readdirSync(reader.folder).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });

  test('is put back as it was before, byte for byte', async (t) => {
    const place = packedLog(t);
    await importSessions(place.context, {}, quiet);
    rmSync(place.packed);
    const resumed = await resume(place.context, { session: '@last' });
    assert.equal(resumed.how, 'restored');
    assert.ok(readFileSync(resumed.files[0] ?? '').equals(place.bytes));
    assert.equal(resumed.files[0], place.plain);
    await importSessions(place.context, {}, quiet);
    assert.deepEqual(await state(place), [4, 16, ['4bc9 0']]);
  });

  test('since it was captured, with more in it: a resume opens it and takes that in', async (t) => {
    const place = packedLog(t);
    rmSync(place.packed);
    writeFileSync(place.plain, place.bytes);
    await importSessions(place.context, {}, quiet);
    rmSync(place.plain);
    place.pack(grown(place.bytes, 'and then?'));
    const resumed = await resume(place.context, { session: '@last' });
    assert.deepEqual([resumed.how, resumed.files], ['opened', [place.packed]]);
    assert.deepEqual(await state(place), [5, 17, ['4bc9 0']]);
  });

  test('in several frames is the same session', async (t) => {
    const place = packedLog(t);
    const { bytes } = place;
    const cuts = [0, 100, bytes.length >> 1, bytes.length - 5, bytes.length];
    const frames = cuts.slice(1).map((end, index) => packedAs(bytes.subarray(cuts[index], end)));
    writeFileSync(place.packed, Buffer.concat(frames));
    assert.deepEqual((await importSessions(place.context, {}, quiet)).problems, []);
    assert.deepEqual(await state(place), [4, 16, ['4bc9 0']]);
    place.pack(bytes);
    assert.deepEqual((await importSessions(place.context, {}, quiet)).sessions, []);
    assert.deepEqual(await state(place), [4, 16, ['4bc9 0']]);
  });

  test('and that is cut off afterwards is told, and takes nothing away', async (t) => {
    const place = packedLog(t);
    await importSessions(place.context, {}, quiet);
    truncateSync(place.packed, readFileSync(place.packed).length - 3);
    const { problems } = await importSessions(place.context, {}, quiet);
    assert.deepEqual(
      problems.map(({ path }) => path),
      [place.packed],
    );
    assert.match(problems[0]?.problem ?? '', /unexpected end of file/);
    assert.deepEqual(await state(place), [4, 16, ['4bc9 0']]);
  });

  test('and that holds more than can be is told, and nothing of it stays', async (t) => {
    const place = packedLog(t);
    // Blocks of one repeated byte behind a true beginning: 80 MB in 45 KB.
    const block = Buffer.from([(1 << 1) | ((131_072 << 3) & 0xff), (131_072 >> 5) & 0xff, (131_072 >> 13) & 0xff, 32]);
    const raw = Buffer.alloc(3);
    raw.writeUIntLE(place.bytes.length << 3, 0, 3);
    const frame = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]), raw, place.bytes]);
    const last = Buffer.from(block);
    last.writeUInt8(last.readUInt8(0) | 1, 0);
    writeFileSync(place.packed, Buffer.concat([frame, ...Array.from({ length: 640 }, () => block), last]));
    const { problems } = await importSessions(place.context, {}, quiet);
    assert.match(problems[0]?.problem ?? '', /unpacks to more than 67108864 bytes/);
    assert.deepEqual((await listSessions(place.context, {})).sessions, []);
    assert.deepEqual(
      readdirSync(place.context.store.sessions, { recursive: true }).filter((name) => String(name).endsWith('.tmp')),
      [],
    );
  });
});
