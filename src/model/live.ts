/** The live view: what the model would see if the session went on now. Stored as appended operations, folded here. */

import type { Message } from './message.ts';

/**
 * One line of `meta/live.jsonl`.
 * - `leaf`: the conversation goes on after this message (`null`: from nothing). The last one stated counts.
 * - `rewind`: the same, said of a person's step back to an earlier message.
 * - `replace`: up to and including message `at`, the model sees `with` instead of what was said (a compaction).
 */
export type LiveOp =
  | { readonly op: 'leaf'; readonly id: string | null }
  | { readonly op: 'rewind'; readonly id: string | null }
  | { readonly op: 'replace'; readonly at: string; readonly with: readonly string[] };

/** What the fold needs of a message: who comes before it, and is it a sub-agent's. */
export interface Link {
  readonly parent: string | null;
  readonly sidechain: boolean;
}

/**
 * The ids of the live view in order. `links` holds every message by id, in the order of the lines (the last main-line
 * message is the leaf of a session that states none). A message nobody links to is left out; cycles end the walk. Each
 * message stands there once, though a replacement name it twice: in its last place.
 */
export function liveIds(links: ReadonlyMap<string, Link>, ops: readonly LiveOp[]): string[] {
  const replaced = new Map<string, readonly string[]>();
  let leaf: string | null | undefined;
  for (const op of ops) {
    switch (op.op) {
      case 'leaf':
      case 'rewind':
        if (op.id === null || links.has(op.id)) leaf = op.id;
        break;
      case 'replace':
        replaced.set(op.at, op.with);
        break;
      default:
        op satisfies never;
    }
  }
  if (leaf === undefined) {
    leaf = null;
    for (const [id, link] of links) if (!link.sidechain) leaf = id;
  }
  const path = new Set<string>();
  const seen = new Set<string>();
  for (let id: string | null = leaf; id !== null && !seen.has(id); id = links.get(id)?.parent ?? null) {
    seen.add(id);
    const instead = replaced.get(id);
    if (instead !== undefined) {
      for (const other of instead.toReversed()) if (links.has(other)) path.add(other);
      break;
    }
    if (links.has(id)) path.add(id);
  }
  return [...path].reverse();
}

/** What {@link liveIds} needs of a message. */
export function linkOf(message: Message): Link {
  return { parent: message.parent_msg_id, sidechain: message.is_sidechain === true };
}
