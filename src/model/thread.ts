/** Threads: sessions with what goes on from them, across tools. */

/** What is needed of a session. */
export interface Member {
  readonly session_id: string;
  readonly parent_session_id: string | null;
  /** ISO 8601. */
  readonly created_at: string;
}

/**
 * Parents before their children, each with its depth. Threads stand in the order of their first member in `sessions`,
 * children by age. A session whose parent is not among them, or is its own descendant, begins a thread; at most `limit` do.
 */
export function threads<M extends Member>(
  sessions: readonly M[],
  limit = Infinity,
): { readonly members: (M & { readonly depth: number })[]; readonly more: boolean } {
  const byId = new Map(sessions.map((session) => [session.session_id, session]));
  const children = new Map<string, M[]>();
  for (const session of sessions) {
    const parent = session.parent_session_id;
    if (parent === null) continue;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [session]);
    else siblings.push(session);
  }
  const members: (M & { readonly depth: number })[] = [];
  const taken = new Set<string>();
  let roots = 0;
  for (const session of sessions) {
    if (taken.has(session.session_id)) continue;
    if (roots === limit) return { members, more: true };
    roots += 1;
    const waiting = [{ session: rootOf(session, byId), depth: 0 }];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { session: member, depth } = next;
      if (taken.has(member.session_id)) continue;
      taken.add(member.session_id);
      members.push({ ...member, depth });
      // The last in comes out first.
      const below = (children.get(member.session_id) ?? []).toSorted((a, b) => (a.created_at < b.created_at ? 1 : -1));
      for (const child of below) waiting.push({ session: child, depth: depth + 1 });
    }
  }
  return { members, more: false };
}

/** The oldest ancestor that is among them; of a cycle the member where it closes. */
function rootOf<M extends Member>(session: M, byId: ReadonlyMap<string, M>): M {
  const seen = new Set<string>();
  let root = session;
  for (;;) {
    seen.add(root.session_id);
    const parent = byId.get(root.parent_session_id ?? '');
    if (parent === undefined || seen.has(parent.session_id)) return root;
    root = parent;
  }
}
