/** The thread that captures the other half of a large import. */

import { adapters } from '../actions/adapters.ts';
import { runShare } from '../actions/capture-share.ts';
import type { Share } from '../actions/capture-share.ts';
import { contextOf } from '../actions/context.ts';
import { systemMachine } from '../io/system.ts';
import { threadInput } from '../io/worker.ts';

const { input, post } = threadInput();
// Given by captureShared alone.
const share = input as Share;
void runShare(contextOf(systemMachine(share), adapters), share, post);
