/** What a wire protocol module has to offer. */

import type { ServerResponse } from 'node:http';
import type { WireCall } from '../../../src/adapters/drive.ts';
import type { HistoryItem, Spoken } from './history.ts';

/** A piece of a model reply ready to be spelled on the wire. `id` is unique within the conversation and the same for equal requests. */
export type WireStep =
  | { readonly type: 'thinking'; readonly text: string; readonly id: string }
  | { readonly type: 'text'; readonly text: string; readonly id: string }
  | { readonly type: 'call'; readonly call: WireCall; readonly id: string };

/** A request as it came: path without the client's prefix and query, body parsed from JSON. */
export type WireRequest = { readonly method: string; readonly path: string; readonly body: unknown };

/** One wire protocol. All functions accept any body and never throw on its shape. */
export type Protocol = {
  /** True for a request that wants a model reply. */
  readonly wantsReply: (request: WireRequest) => boolean;
  /** Names of the tools that a request offers the model; `namespace.name` where there is a namespace. */
  readonly offered: (body: unknown) => readonly string[];
  /** The conversation a request carries, in order. */
  readonly history: (body: unknown, spoken: Spoken) => readonly HistoryItem[];
  /** What the vendor's API would answer 400 to, one sentence each with its place in the body. */
  readonly violations: (body: unknown) => readonly string[];
  /** Sends a model reply, streamed if the request asks for it. With `stalls` the last step and the stream are never ended. */
  readonly reply: (request: WireRequest, steps: readonly WireStep[], response: ServerResponse, stalls: boolean) => void;
  /** The JSON that answers a request which wants no model reply: models, token counts. `undefined`: not found. */
  readonly plain: (request: WireRequest) => unknown;
};
