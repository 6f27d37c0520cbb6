/** Going through a large session on a thread of its own: the heap of a thread can be bounded, that of a running program cannot. */

import { join } from 'node:path';
import type { ErrorCode } from '../errors.ts';
import { SessionFsError } from '../errors.ts';
import { layout } from '../format/layout.ts';
import { exists, sizeOf } from '../io/files.ts';
import { linesInFile } from '../io/line-file.ts';
import { isThread, runThread } from '../io/worker.ts';
import { sessionFolder } from '../store/store.ts';
import { adapters } from './adapters.ts';
import type { Context } from './context.ts';

/** Below so many bytes of messages a thread costs more than it saves. */
const largeBytes = 16 << 20;
/** Of so many the thread's heap is bounded closely: what is known of each message takes room by itself. */
const hugeBytes = 128 << 20;
/**
 * Bounds in MB. Smaller ones make V8 collect sooner: with these 1 GB goes on in another tool in 200 MB resident, with those of an
 * import in 250. Closely bounded, new objects cost a fifth more time.
 */
const youngMb = { large: 48, huge: 12 };
const oldMb = 256;
/** How often the longest message may be in the heap at once: as lines of ours and of the tool's, and what they were parsed to. */
const copies = 8;

/** The actions that can be done there, by the names of their functions. */
export type ThreadAction = 'resume' | 'exportSession' | 'forkSession' | 'makeCheckpoint';

/** What the thread is to do: plain data. */
export interface Errand {
  readonly env: { readonly [name: string]: string | undefined };
  readonly homeDir: string;
  readonly action: ThreadAction;
  readonly request: unknown;
}

/** What it says at its end. */
export type Reply =
  | { readonly result: unknown }
  | { readonly failed: { readonly code: ErrorCode; readonly message: string; readonly hint: string | undefined } };

/**
 * What the action gave on a thread; `undefined` where it is to be done here: the session is not large, or this is the thread.
 * Throws what the action throws.
 */
export async function onThread<Result>(
  context: Context,
  sessionId: string,
  action: ThreadAction,
  request: object,
): Promise<Result | undefined> {
  const path = join(sessionFolder(context.store, sessionId), layout.messages);
  const sizeBytes = isThread() || !exists(path) ? 0 : sizeOf(path);
  if (sizeBytes < largeBytes) return undefined;
  // The thread knows the tools of the registry and no others.
  if (!context.adapters.every((adapter) => adapters.includes(adapter))) return undefined;
  const errand: Errand = { env: { ...context.machine.env }, homeDir: context.machine.homeDir, action, request };
  let reply: Reply | undefined;
  const receive = (message: unknown): void => {
    // Posted by the thread alone.
    reply = message as Reply;
  };
  const forLongest = Math.ceil((copies * longestLine(path)) / 2 ** 20);
  await runThread('action-thread', errand, receive, {
    youngMb: sizeBytes < hugeBytes ? youngMb.large : youngMb.huge,
    oldMb: oldMb + forLongest,
  });
  if (reply === undefined) throw new Error(`the thread of ${action} said nothing`);
  if ('failed' in reply) throw new SessionFsError(reply.failed.code, reply.failed.message, reply.failed.hint);
  // The caller is the action of this name.
  return reply.result as Result;
}

function longestLine(path: string): number {
  let longest = 0;
  for (const { bytes } of linesInFile(path)) longest = Math.max(longest, bytes.length);
  return longest;
}
