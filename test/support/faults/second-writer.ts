/** A thread that captures everything a home holds each time it is told to, while whoever tells it stands still. */

import { workerData } from 'node:worker_threads';
import { contextOf } from '../../../src/actions/context.ts';
import { importSessions } from '../../../src/actions/import.ts';
import { adapters } from '../../../src/adapters/index.ts';
import { SessionFsError } from '../../../src/errors.ts';
import { systemMachine } from '../../../src/io/system.ts';
import type { Call } from './second.ts';
import { receiveCall } from './second.ts';

/** Sessions that the other has in hand fail here, and a store it is just making may not be there. */
async function capture({ env, running, adapter }: Call): Promise<boolean> {
  const machine = {
    ...systemMachine({ env, homeDir: env['HOME'] ?? '' }),
    isRunning: (pid: number): boolean => running.includes(pid),
  };
  try {
    const { problems } = await importSessions(
      contextOf(
        machine,
        adapters.filter(({ id }) => id === adapter),
      ),
      {},
      () => undefined,
    );
    return problems.length === 0;
  } catch (cause) {
    if (!(cause instanceof SessionFsError)) throw cause;
    return false;
  }
}

// Made by `startSecond` alone.
const signal = workerData as Int32Array<SharedArrayBuffer>;
await receiveCall(signal, capture);
