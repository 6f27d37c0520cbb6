/** The calls every coding tool has under its own names, so that a session speaks the target's language after a move. */

import type { Json, JsonObject } from '../../model/json.ts';

/** A common call, apart from any tool's naming. Paths as the source gave them. */
export type CommonCall =
  | {
      readonly verb: 'shell';
      readonly command: string;
      readonly cwd?: string;
      readonly description?: string;
      readonly timeoutMs?: number;
    }
  | { readonly verb: 'read'; readonly path: string; readonly offset?: number; readonly limit?: number }
  | { readonly verb: 'write'; readonly path: string; readonly content: string }
  | {
      readonly verb: 'edit';
      readonly path: string;
      readonly before: string;
      readonly after: string;
      readonly all?: boolean;
    }
  | { readonly verb: 'search'; readonly pattern: string; readonly path?: string; readonly glob?: string }
  | { readonly verb: 'list'; readonly path?: string; readonly glob?: string }
  | { readonly verb: 'fetch'; readonly url: string; readonly prompt?: string }
  | { readonly verb: 'web-search'; readonly query: string }
  | {
      readonly verb: 'plan';
      readonly steps: readonly { readonly text: string; readonly status: 'pending' | 'in_progress' | 'completed' }[];
    }
  | { readonly verb: 'agent'; readonly prompt: string; readonly description?: string };

/** What a common call does. */
export type Verb = CommonCall['verb'];

/** How one tool spells one verb. */
export interface Word {
  readonly verb: Verb;
  /** The tool's name for the call. Several words may share a verb: the first is the one written. */
  readonly name: string;
  /** The common call this input means; `undefined` when the input says more than the common call can. */
  read(input: JsonObject): CommonCall | undefined;
  /** The tool's input for a common call of this verb; `undefined` when it has no room for it. */
  write?(call: CommonCall): JsonObject | undefined;
}

/** All words of one tool. A verb without a word has no counterpart there. */
export type Vocabulary = readonly Word[];

/** A call in the target's words; `undefined` when the meaning is not the same and the call keeps its own name. */
export function translate(
  call: { readonly name: string; readonly input: JsonObject },
  from: Vocabulary,
  to: Vocabulary,
): { readonly name: string; readonly input: JsonObject } | undefined {
  for (const word of from) {
    if (word.name !== call.name) continue;
    const common = word.read(call.input);
    if (common === undefined) continue;
    for (const target of to) {
      if (target.verb !== common.verb) continue;
      const input = target.write?.(common);
      if (input !== undefined) return { name: target.name, input };
    }
  }
  return undefined;
}

/** An object without its `undefined` fields. */
export function defined(fields: { readonly [key: string]: Json | undefined }): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
