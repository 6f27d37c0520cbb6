/** The thread that does one action with a large session. */

import { adapters } from '../actions/adapters.ts';
import { makeCheckpoint } from '../actions/checkpoint.ts';
import type { Context } from '../actions/context.ts';
import { contextOf } from '../actions/context.ts';
import { exportSession } from '../actions/export.ts';
import { forkSession } from '../actions/fork.ts';
import type { Errand, Reply, ThreadAction } from '../actions/on-thread.ts';
import { resume } from '../actions/resume.ts';
import { SessionFsError } from '../errors.ts';
import { systemMachine } from '../io/system.ts';
import { threadInput } from '../io/worker.ts';

/** Each gets the request it handed over. */
const actions: Readonly<Record<ThreadAction, (context: Context, request: never) => Promise<unknown>>> = {
  resume,
  exportSession,
  forkSession,
  makeCheckpoint,
};

const { input, post } = threadInput();
// Given by onThread alone.
const errand = input as Errand;

async function reply(): Promise<Reply> {
  try {
    const context = contextOf(systemMachine(errand), adapters);
    return { result: await actions[errand.action](context, errand.request as never) };
  } catch (cause) {
    if (!(cause instanceof SessionFsError)) throw cause;
    return { failed: { code: cause.code, message: cause.message, hint: cause.hint } };
  }
}

void reply().then(post);
