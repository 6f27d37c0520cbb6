import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import { SessionFsError } from '../errors.ts';
import { decompress } from './compress.ts';
import { packedHeadBytes, unpackFile, unpackHead } from './unpack.ts';

/** Text that does not shrink to nothing: one block of the frame is no longer all of it. */
const text = Buffer.from(Array.from({ length: 60_000 }, (_, at) => `line ${at} ${(at * 7919) % 10_007}\n`).join(''));
const packed = zstdCompressSync(text, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'unpack-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe('the beginning of a packed file', () => {
  test('is what the file holds, as much as was asked for', () => {
    for (const bytes of [1, 4096, 200_000]) {
      const head = unpackHead(packed.subarray(0, Math.max(packedHeadBytes, bytes)), bytes);
      assert.ok(head.length >= bytes && head.length < text.length, `${head.length} of ${bytes}`);
      assert.ok(text.subarray(0, head.length).equals(head));
    }
    assert.ok(text.equals(unpackHead(packed, text.length)));
    assert.deepEqual(unpackHead(zstdCompressSync('{}\n'), 4096), Buffer.from('{}\n'));
  });

  test('is nothing where the file is none, or cut off before its first block ends', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('{"type":"session_meta"}\n'), packed.subarray(0, 3)])
      assert.equal(unpackHead(bytes, 4096).length, 0);
    for (let end = 4; end < 40; end += 1) assert.equal(unpackHead(packed.subarray(0, end), 4096).length, 0);
  });

  test('goes on in the frames that follow, past those that hold nothing', () => {
    const note = Buffer.concat([Buffer.from([0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), Buffer.from('idx')]);
    const small = Buffer.concat([note, zstdCompressSync('{"a":'), note, zstdCompressSync('1}\n'), packed]);
    const head = unpackHead(small.subarray(0, packedHeadBytes), 4096);
    assert.equal(Buffer.from(head).toString('utf8', 0, 8), '{"a":1}\n');
    assert.ok(head.length >= 4096 && text.subarray(0, head.length - 8).equals(head.subarray(8)));
  });

  test('of a bomb is a few blocks of it', () => {
    const bomb = zstdCompressSync(Buffer.alloc(64 << 20));
    assert.equal(unpackHead(bomb, 4096).length, 128 << 10);
  });
});

describe('a packed file', () => {
  async function unpacked(t: TestContext, bytes: Buffer, limit = 1 << 30): Promise<Buffer> {
    const path = join(folder(t), 'packed.zst');
    writeFileSync(path, bytes);
    await unpackFile(path, `${path}.tmp`, limit);
    return readFileSync(`${path}.tmp`);
  }

  test('is unpacked whole', async (t) => {
    assert.ok(text.equals(await unpacked(t, packed)));
    assert.ok(text.equals(await unpacked(t, packed, text.length)));
  });

  test('of several frames is unpacked whole, wherever they end', async (t) => {
    const note = Buffer.concat([Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0]), Buffer.from('more')]);
    const empty = zstdCompressSync('');
    const half = text.length >> 1;
    const parts = [text.subarray(0, half), text.subarray(half), Buffer.from('{}\n'), Buffer.alloc(300_000, 'a')];
    const frames = parts.map((part, index) =>
      zstdCompressSync(part, { params: { [constants.ZSTD_c_checksumFlag]: index % 2 } }),
    );
    assert.ok(Buffer.concat(parts).equals(await unpacked(t, Buffer.concat([note, empty, ...frames, note]))));
    const many = Array.from({ length: 3000 }, (_, at) => `${at}\n`);
    const packedMany = Buffer.concat(many.map((line) => zstdCompressSync(line)));
    assert.equal((await unpacked(t, packedMany)).toString('utf8'), many.join(''));
    assert.equal(decompress(packedMany).toString('utf8'), many.join(''));
  });

  const twoFrames = Buffer.concat([packed, packed]);
  for (const [what, bytes, limit, why] of [
    ['cut off in its second frame', twoFrames.subarray(0, -2), undefined, /unexpected end of file/],
    ['larger than allowed in both frames', twoFrames, text.length + 1, /unpacks to more than/],
    ['cut off', packed.subarray(0, packed.length - 2), undefined, /unexpected end of file/],
    ['damaged', Buffer.concat([packed.subarray(0, 5000), Buffer.alloc(9, 3), packed.subarray(5009)]), undefined, /./],
    ['followed by something else', Buffer.concat([packed, Buffer.from('more')]), undefined, /something else follows/],
    ['empty', Buffer.alloc(0), undefined, /./],
    ['a bomb', zstdCompressSync(Buffer.alloc(8 << 20)), 1 << 20, /unpacks to more than 1048576 bytes/],
  ] as const) {
    test(`that is ${what} is said to be unreadable`, async (t) => {
      await assert.rejects(
        unpacked(t, bytes, limit),
        (error) =>
          error instanceof SessionFsError &&
          error.code === 'unreadable' &&
          error.message.includes('packed.zst') &&
          why.test(error.message),
      );
    });
  }
});
