/** What `resume --budget` asks, and what it gives. */

import { contextWindowOf } from '../capture/context-window.ts';
import { SessionFsError } from '../errors.ts';
import type { Adapter, Written } from '../adapters/adapter.ts';
import { fit } from '../model/budget.ts';
import type { LeftOut } from '../model/budget.ts';
import type { Message } from '../model/message.ts';
import type { SessionIndex, SessionRow } from '../store/session-index.ts';

/** A number of tokens, or as much as the model leaves room for. */
export type Budget = number | 'auto';

/** The part of a model's window that `auto` fills; the rest is for the tool's own instructions and what is said next. */
export const autoShare = 0.75;

/** `budget` of `resume --json`. Tokens are estimates: a quarter of the UTF-8 bytes, 1600 for an image. */
export interface Budgeted {
  /** What the conversation was to fit into. */
  readonly tokens: number;
  /** Whose window it was taken from; `null` where a number was asked for. */
  readonly model: string | null;
  /** Tokens that model sees. */
  readonly context_window: number | null;
  readonly estimate_before: number;
  readonly estimate_after: number;
  readonly left_out: LeftOut;
  /** The command that shows what was left out; `null` when nothing was. */
  readonly whole: string | null;
}

/** A conversation that fits. */
export interface Fitted {
  readonly messages: Iterable<Message>;
  readonly budgeted: Budgeted;
}

/** Whose window `auto` is about. */
export interface Room {
  readonly index: SessionIndex;
  readonly row: SessionRow;
  readonly target: Adapter;
  /** The model the tool is to be started with, where asked. */
  readonly model: string | undefined;
}

/** The live view within the budget. Throws `usage` when the window is unknown, or the last prompt alone is too large. */
export async function fitTo(budget: Budget, live: Iterable<Message>, room: Room): Promise<Fitted> {
  const { session_id: id } = room.row;
  const limit = budget === 'auto' ? await windowOf(room) : { tokens: budget, model: null, context_window: null };
  const whole = `sfs show ${id} --messages`;
  const fitted = fit(live, limit.tokens, whole);
  if (!fitted.fits)
    throw new SessionFsError(
      'usage',
      `a budget of ${limit.tokens} tokens does not hold the last prompt of ${id}: that takes about ${fitted.needs}`,
      `give it more: --budget ${fitted.needs}`,
    );
  const isWhole = Object.values(fitted.leftOut).every((count) => count === 0);
  return {
    messages: fitted.messages,
    budgeted: {
      ...limit,
      estimate_before: fitted.before,
      estimate_after: fitted.after,
      left_out: fitted.leftOut,
      whole: isWhole ? null : whole,
    },
  };
}

/** What is written, its losses with what was left out before. */
export function withLosses(written: Written, leftOut: LeftOut | undefined): Written {
  if (leftOut === undefined) return written;
  const named: [name: string, count: number][] = [
    ['over-budget-output', leftOut.outputs],
    ['over-budget-image', leftOut.images],
    ['over-budget-message', leftOut.messages],
  ];
  return {
    ...written,
    // The writer counts its own while the lines are read.
    get losses() {
      return new Map([...written.losses, ...named.filter(([, count]) => count > 0)]);
    },
  };
}

async function windowOf({ index, row, target, model: asked }: Room): Promise<{
  readonly tokens: number;
  readonly model: string;
  readonly context_window: number;
}> {
  const model = asked ?? (row.tool === target.id ? row.model : null) ?? lastModelOf(index, target);
  if (model === null)
    throw new SessionFsError(
      'usage',
      `which model ${target.name} starts with is not known, so neither is its context window`,
      'name the model: --model MODEL, or a number of tokens: --budget 100000',
    );
  const window = await contextWindowOf(model);
  if (window === undefined)
    throw new SessionFsError(
      'usage',
      `the context window of ${model} is not known`,
      'give a number of tokens: --budget 100000',
    );
  return { tokens: Math.floor(window * autoShare), model, context_window: window };
}

/** The model of the newest session of the tool that has one. */
function lastModelOf(index: SessionIndex, target: Adapter): string | null {
  return index.list({ tool: target.id }).rows.find(({ model }) => model !== null)?.model ?? null;
}
