import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Queue } from './queue.ts';

test('a single change is due when the file is quiet', () => {
  const queue = new Queue();
  queue.changed('/a', true, 1000);
  assert.deepEqual(queue.take(1003), []);
  assert.equal(queue.nextMs(), 1004);
  assert.deepEqual(queue.take(1004), [{ path: '/a', isAppend: true }]);
  assert.equal(queue.nextMs(), undefined);
});

test('a burst is one change, and no burst waits for ever', () => {
  const queue = new Queue();
  for (let at = 0; at < 200; at += 5) {
    queue.changed('/a', true, at);
    assert.deepEqual(queue.take(at), [], `at ${at}`);
  }
  assert.deepEqual(queue.take(200), [{ path: '/a', isAppend: true }]);
});

test('what was captured a moment ago waits its turn', () => {
  const queue = new Queue();
  queue.changed('/a', true, 0);
  assert.equal(queue.take(8).length, 1);
  queue.changed('/a', true, 20);
  assert.equal(queue.nextMs(), 208);
  assert.equal(queue.take(207).length, 0);
  assert.equal(queue.take(208).length, 1);
  queue.changed('/a', true, 1000);
  assert.equal(queue.nextMs(), 1004);
});

test('what was captured is looked at once more when it is quiet', () => {
  const queue = new Queue();
  queue.changed('/a', true, 0);
  assert.equal(queue.take(8).length, 1);
  queue.lookAgain('/a', 10);
  assert.deepEqual([queue.size, queue.nextMs()], [0, 2010]);
  queue.changed('/a', true, 1000);
  assert.deepEqual(queue.take(1008), [{ path: '/a', isAppend: true }]);
  queue.lookAgain('/a', 1010);
  assert.deepEqual(queue.take(3009), []);
  assert.deepEqual(queue.take(3010), [{ path: '/a', isAppend: false }]);
  assert.equal(queue.nextMs(), undefined);
});

test('one move among appends is no append', () => {
  const queue = new Queue();
  queue.changed('/a', true, 0);
  queue.changed('/a', false, 1);
  queue.changed('/a', true, 2);
  assert.deepEqual(queue.take(10), [{ path: '/a', isAppend: false }]);
});

test('what failed comes again, later each time, and at once after it went well', () => {
  const queue = new Queue();
  const waits: number[] = [];
  let now = 0;
  for (let times = 0; times < 10; times += 1) {
    queue.failed('/a', now);
    const next = queue.nextMs() ?? 0;
    waits.push(next - now);
    now = next;
    assert.deepEqual(queue.take(now), [{ path: '/a', isAppend: false }]);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  queue.done('/a');
  queue.failed('/a', now);
  assert.equal(queue.nextMs(), now + 500);
});

test('whatever comes, in whatever order: each change is given out within its time, and none is lost', () => {
  const event = fc.record({ path: fc.constantFrom('/a', '/b', '/c'), afterMs: fc.nat(300) });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const queue = new Queue();
      const unserved = new Map<string, number>();
      let now = 0;
      const take = (): void => {
        for (const { path } of queue.take(now)) {
          assert.ok(unserved.delete(path), `${path} had changed`);
        }
        for (const since of unserved.values()) assert.ok(now - since < 400, 'not longer than both waits');
      };
      const goTo = (at: number): void => {
        for (let next = queue.nextMs(); next !== undefined && next <= at; next = queue.nextMs()) {
          now = Math.max(now, next);
          take();
        }
        now = at;
      };
      for (const { path, afterMs } of events) {
        goTo(now + afterMs);
        queue.changed(path, true, now);
        if (!unserved.has(path)) unserved.set(path, now);
      }
      goTo(now + 1000);
      assert.equal(unserved.size, 0);
      assert.equal(queue.size, 0);
    }),
  );
});
