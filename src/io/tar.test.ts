import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { gzip } from './gzip.ts';
import { TarReader, tar } from './tar.ts';

const bytes = fc.uint8Array({ maxLength: 2000 }).map((array) => Buffer.from(array));
const names = fc.uniqueArray(
  fc.array(
    fc.stringMatching(/^[a-zé_.-]{1,60}$/).filter((part) => !/^\.{1,2}$/.test(part)),
    { minLength: 1, maxLength: 4 },
  ),
  { selector: (parts) => parts.join('/').normalize('NFC'), maxLength: 5 },
);

/** Cut into pieces of these lengths, again and again. */
function* pieces(whole: Buffer, lengths: readonly number[]): Generator<Buffer> {
  for (let at = 0, index = 0; at < whole.length; index += 1) {
    const length = lengths[index % lengths.length] ?? 1;
    yield whole.subarray(at, at + length);
    at += length;
  }
}

const lengthsOf = fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 5 });

test('what is packed is read again, however the archive is cut into pieces', () => {
  fc.assert(
    fc.property(names, fc.array(bytes, { minLength: 5, maxLength: 5 }), lengthsOf, (paths, contents, lengths) => {
      const files = paths.map((parts, index) => ({
        name: parts.join('/'),
        content: contents[index] ?? Buffer.alloc(0),
      }));
      const archive = Buffer.concat([
        ...tar(files.map(({ name, content }) => ({ name, sizeBytes: content.length, chunks: [content] }))),
      ]);
      assert.equal(archive.length % 512, 0);
      const found: { name: string; content: Buffer }[] = [];
      const reader = new TarReader('x', {
        begin: (name) => {
          found.push({ name, content: Buffer.alloc(0) });
          return true;
        },
        bytes: (piece) => {
          const last = found.at(-1);
          if (last !== undefined) last.content = Buffer.concat([last.content, piece]);
        },
      });
      for (const piece of pieces(archive, lengths)) reader.take(piece);
      reader.end();
      assert.deepEqual(found, files);
    }),
  );
});

test('gzip gives the same bytes for the same bytes, whatever pieces they come in, and others read it', () => {
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 1500 }), lengthsOf, (content, times, lengths) => {
      const whole = Buffer.concat(Array.from({ length: times }, () => content));
      const once = Buffer.concat([...gzip([whole])]);
      assert.deepEqual(Buffer.concat([...gzip(pieces(whole, lengths))]), once);
      assert.deepEqual(gunzipSync(once), whole);
    }),
    { numRuns: 30 },
  );
});

test('a file that changed while it was packed is an error', () => {
  const changed = [{ name: 'a', sizeBytes: 3, chunks: [Buffer.from('four')] }];
  assert.throws(() => [...tar(changed)], /a changed while it was read/);
});
