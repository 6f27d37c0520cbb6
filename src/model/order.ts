/** Reading order: a function of the set of messages, never of where their lines stand. */

import type { Message } from './message.ts';

/**
 * Parents before children; among those free to come next the earliest time, then the smallest id. A message whose
 * parent is not in the set counts as a root; a cycle is broken at its earliest member.
 */
export function readingOrder<M extends Pick<Message, 'msg_id' | 'parent_msg_id' | 'timestamp'>>(
  messages: Iterable<M>,
): M[] {
  const byId = new Map<string, M>();
  for (const message of messages) byId.set(message.msg_id, message);
  const children = new Map<string, M[]>();
  const free = new Heap<M>(earlier);
  for (const message of byId.values()) {
    const parent = message.parent_msg_id;
    if (parent === null || parent === message.msg_id || !byId.has(parent)) free.push(message);
    else {
      const siblings = children.get(parent);
      if (siblings === undefined) children.set(parent, [message]);
      else siblings.push(message);
    }
  }
  const ordered: M[] = [];
  const taken = new Set<string>();
  while (ordered.length < byId.size) {
    for (let next = free.pop(); next !== undefined; next = free.pop()) {
      if (taken.has(next.msg_id)) continue;
      taken.add(next.msg_id);
      ordered.push(next);
      for (const child of children.get(next.msg_id) ?? []) free.push(child);
    }
    if (ordered.length === byId.size) break;
    const left = [...byId.values()].filter((message) => !taken.has(message.msg_id)).sort(earlier);
    const first = left[0];
    if (first === undefined) break;
    free.push(first);
  }
  return ordered;
}

type Timed = Pick<Message, 'msg_id' | 'timestamp'>;

function earlier(a: Timed, b: Timed): number {
  if (a.timestamp !== b.timestamp) return a.timestamp < b.timestamp ? -1 : 1;
  return a.msg_id < b.msg_id ? -1 : a.msg_id > b.msg_id ? 1 : 0;
}

/** A binary heap: the smallest item comes out first. */
class Heap<T> {
  readonly #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  push(item: T): void {
    const items = this.#items;
    let index = items.length;
    items.push(item);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = items[above];
      if (parent === undefined || this.#compare(parent, item) <= 0) break;
      items[index] = parent;
      index = above;
    }
    items[index] = item;
  }

  pop(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (first === undefined || last === undefined || items.length === 0) return first;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      const left = items[below];
      if (left === undefined) break;
      const right = items[below + 1];
      let child = left;
      if (right !== undefined && this.#compare(right, left) < 0) {
        below += 1;
        child = right;
      }
      if (this.#compare(last, child) <= 0) break;
      items[index] = child;
      index = below;
    }
    items[index] = last;
    return first;
  }
}
