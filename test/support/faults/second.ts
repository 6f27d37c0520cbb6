/** A second writer on a thread of its own: another lock taker, with its own memory of what it holds. */

import { MessageChannel, Worker, parentPort, receiveMessageOnPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';

/** What is to be captured. */
export interface Call {
  readonly env: { readonly [name: string]: string };
  readonly running: readonly number[];
  readonly adapter: string;
}

/** What the signal between the two says. */
const state = { done: 0, called: 1, failed: 2, partly: 3 } as const;

/** Starts it. `capture` returns when it has done what it could: is all captured? `stop` ends it. */
export async function startSecond(): Promise<{
  readonly capture: (call: Call) => boolean;
  readonly stop: () => Promise<unknown>;
}> {
  const signal = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const { port1: near, port2: far } = new MessageChannel();
  const thread = new Worker(new URL('second-writer.ts', import.meta.url), { workerData: signal });
  thread.postMessage(far, [far]);
  await new Promise((resolve, reject) => {
    near.once('message', resolve);
    thread.once('error', reject);
  });
  near.unref();
  return {
    capture: (call) => {
      Atomics.store(signal, 0, state.called);
      near.postMessage(call);
      Atomics.wait(signal, 0, state.called, 30_000);
      const how = Atomics.load(signal, 0);
      if (how === state.done || how === state.partly) return how === state.done;
      const why: unknown = receiveMessageOnPort(near)?.message;
      throw new Error(`the second writer failed: ${String(why ?? 'it does not end')}`);
    },
    stop: () => thread.terminate(),
  };
}

/** The thread's side: answers each call when its work is done, which tells whether it did all of it. */
export async function receiveCall(
  signal: Int32Array<SharedArrayBuffer>,
  work: (call: Call) => Promise<boolean>,
): Promise<void> {
  const port = await new Promise<MessagePort>((resolve) => parentPort?.once('message', resolve));
  port.on('message', (call: Call) => {
    const end = (how: number): void => {
      Atomics.store(signal, 0, how);
      Atomics.notify(signal, 0);
    };
    work(call).then(
      (isAll) => end(isAll ? state.done : state.partly),
      (cause: unknown) => {
        port.postMessage(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
        end(state.failed);
      },
    );
  });
  port.postMessage('ready');
}
