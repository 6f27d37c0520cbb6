/** A second thread for work that keeps a processor busy. */

import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { builtin } from './builtin.ts';

/** Is there a second processor to use? */
export function hasSecondProcessor(): boolean {
  return availableParallelism() > 1;
}

/** Bounds of a thread's heap, in MB: for what is new, and for what has been kept for a while. */
export interface HeapBounds {
  readonly youngMb: number;
  readonly oldMb: number;
}

/**
 * V8 collects the sooner the less a heap may grow, and an import keeps little: with these
 * two threads together stay below 300 MB resident (with V8's own bounds: 360).
 */
const usualBounds: HeapBounds = { youngMb: 24, oldMb: 1024 };

/** Is this code running on a thread that {@link runThread} started? */
export function isThread(): boolean {
  return !builtin('node:worker_threads').isMainThread;
}

/**
 * Runs `src/cli/<name>.ts` (in a bundle `<name>.cjs`) on a thread with `input`; every message it posts goes to `receive`.
 * Settles when the thread has ended; rejects when it failed.
 */
export function runThread(
  name: string,
  input: unknown,
  receive: (message: unknown) => void,
  { youngMb, oldMb }: HeapBounds = usualBounds,
): Promise<void> {
  const script = [join(import.meta.dirname, `${name}.cjs`), join(import.meta.dirname, '..', 'cli', `${name}.ts`)].find(
    (path) => existsSync(path),
  );
  return new Promise((resolve, reject) => {
    const { Worker } = builtin('node:worker_threads');
    const thread = new Worker(script ?? name, {
      workerData: input,
      resourceLimits: { maxYoungGenerationSizeMb: youngMb, maxOldGenerationSizeMb: oldMb },
    });
    thread.on('message', receive);
    thread.on('error', reject);
    thread.on('exit', (status) =>
      status === 0 ? resolve() : reject(new Error(`the ${name} thread ended with status ${status}`)),
    );
  });
}

/** What the thread was given, and how it answers. */
export function threadInput(): { readonly input: unknown; readonly post: (message: unknown) => void } {
  const { workerData, parentPort } = builtin('node:worker_threads');
  return { input: workerData, post: (message) => parentPort?.postMessage(message) };
}
