/** A timeline as people read it: each sub-agent's part in one place, below the call that started it. */

/** What the outline needs of a message. */
export interface OutlineItem {
  readonly msg_id: string;
  readonly parent_msg_id: string | null;
  readonly timestamp: string;
  /** The sub-agent it belongs to; empty when the source does not name it, `undefined` in the main conversation. */
  readonly agent: string | undefined;
  /** Those of its calls that started a sub-agent. */
  readonly calls: readonly string[];
}

/** What comes next: a message, or the begin or the end of a sub-agent's part. */
export type OutlineStep<Item> =
  | { readonly step: 'message'; readonly item: Item }
  | { readonly step: 'begin'; readonly agent: string }
  | { readonly step: 'end' };

/** Parts inside parts; deeper ones follow behind, so that no chain of sub-agents can exhaust the stack. */
const deepest = 8;

/**
 * Every item once. `items` in reading order; `agentCalls`: sub-agent → the call that started it. A sub-agent nobody called
 * stands where its first message does.
 */
export function* outline<Item extends OutlineItem>(
  items: readonly Item[],
  agentCalls: { readonly [agent: string]: string },
): Generator<OutlineStep<Item>> {
  const parts = new Map<string, Item[]>();
  const made = new Set<string>();
  for (const item of items) {
    for (const call of item.calls) made.add(call);
    if (item.agent === undefined) continue;
    const part = parts.get(item.agent);
    if (part === undefined) parts.set(item.agent, [item]);
    else part.push(item);
  }
  const calledBy = new Map<string, string[]>();
  for (const [agent, call] of Object.entries(agentCalls)) {
    if (!parts.has(agent) || !made.has(call)) continue;
    calledBy.set(call, [...(calledBy.get(call) ?? []), agent]);
  }
  const called = new Set([...calledBy.values()].flat());
  const done = new Set<string>();
  function* partOf(agent: string, depth: number): Generator<OutlineStep<Item>> {
    if (done.has(agent) || depth > deepest) return;
    done.add(agent);
    yield { step: 'begin', agent };
    for (const item of parts.get(agent) ?? []) yield* withParts(item, depth + 1);
    yield { step: 'end' };
  }
  function* withParts(item: Item, depth: number): Generator<OutlineStep<Item>> {
    yield { step: 'message', item };
    for (const call of item.calls) for (const agent of calledBy.get(call) ?? []) yield* partOf(agent, depth);
  }
  for (const item of items) {
    if (item.agent === undefined) yield* withParts(item, 0);
    else if (!called.has(item.agent)) yield* partOf(item.agent, 0);
  }
  // Sub-agents that called each other, or too deep.
  for (const agent of parts.keys()) yield* partOf(agent, 0);
}
