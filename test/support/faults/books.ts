/** Books of what capture must have, and what it may have, of each session; and the comparison of a store with them. */

import type { KeptMessage, KeptSession } from './kept.ts';
import { emptySessions, keptSessions } from './kept.ts';
import type { NativeSession, Said } from './world.ts';

/** What is known of one session over time. */
class Account {
  /** Words that were told as captured, or are to be read now. */
  readonly must = new Set<string>();
  /** What was told as captured, and how often anything had been flushed by then: a power cut may take back what was told since. */
  told: { readonly texts: readonly string[]; readonly flushes: number }[] = [];
  /** Everything that ever could be read. */
  readonly may = new Map<string, Said>();
  /** Words → the ids of what they followed: words may change, what is said stays the same. */
  readonly after = new Map<string, Set<string | null>>();
  isTorn = false;
}

/** The books of one run. */
export class Books {
  readonly #accounts = new Map<string, Account>();

  /** What can be read at this moment. */
  look(sessions: readonly NativeSession[]): void {
    for (const { nativeId, said, isTorn } of sessions) {
      const account = this.#of(nativeId);
      account.isTorn ||= isTorn;
      for (const [index, one] of said.entries()) {
        account.may.set(one.text, one);
        const before = account.after.get(one.text) ?? new Set();
        account.after.set(one.text, before.add(said[index - 1]?.id ?? null));
      }
    }
  }

  /** Capture said that it has a session as it lay there from before it looked until it had done. */
  told(before: NativeSession, after: NativeSession | undefined, flushes: number): void {
    const account = this.#of(before.nativeId);
    const texts: string[] = [];
    for (const [index, { text }] of before.said.entries()) {
      if (after?.said[index]?.text !== text || after.place !== before.place) break;
      texts.push(text);
      account.must.add(text);
    }
    account.told.push({ texts, flushes });
  }

  /** What was told and not flushed since may be gone. */
  powerCut(flushes: number): void {
    for (const account of this.#accounts.values()) {
      const firm = account.told.filter((one) => one.flushes < flushes);
      for (const { texts } of account.told) for (const text of texts) account.must.delete(text);
      for (const { texts } of firm) for (const text of texts) account.must.add(text);
      account.told = firm;
    }
  }

  /** Of one session, what is said of it in a store otherwise than it has to be. */
  compare(nativeId: string, session: KeptSession | undefined): string[] {
    return differencesOf(this.#of(nativeId), session);
  }

  /** Words that have been there long enough: whoever watches must have them. */
  due(nativeId: string, texts: Iterable<string>): void {
    const { must } = this.#of(nativeId);
    for (const text of texts) must.add(text);
  }

  /** Every way in which a store differs from what it has to hold. `written`: the sessions that the last capture wrote. */
  differences(root: string, now: readonly NativeSession[], written: ReadonlySet<string>): string[] {
    const kept = keptSessions(root);
    const found: string[] = [];
    const tell = (nativeId: string, what: string): void => void found.push(`${nativeId}: ${what}`);
    for (const name of emptySessions(root)) tell(name, 'is listed and holds nothing');
    const byId = Map.groupBy(kept, ({ nativeId }) => nativeId);
    for (const [nativeId, sessions] of byId) {
      if (sessions.length > 1) tell(nativeId, 'is there twice');
      if (!this.#accounts.has(nativeId)) tell(nativeId, 'invented');
    }
    for (const [nativeId, account] of this.#accounts) {
      const [session] = byId.get(nativeId) ?? [];
      for (const problem of differencesOf(account, session)) tell(nativeId, problem);
      if (written.has(nativeId)) for (const name of session?.unfinished ?? []) tell(nativeId, `left: ${name}`);
    }
    for (const native of now) {
      const [session] = byId.get(native.nativeId) ?? [];
      if (session !== undefined)
        for (const problem of nativeDifferences(native, session)) tell(native.nativeId, problem);
    }
    return found;
  }

  #of(nativeId: string): Account {
    const known = this.#accounts.get(nativeId) ?? new Account();
    this.#accounts.set(nativeId, known);
    return known;
  }
}

function differencesOf(account: Account, session: KeptSession | undefined): string[] {
  const found: string[] = [];
  const kept = new Map<string, KeptMessage>();
  /** What was said behind two different things. */
  const branches = new Set<string>();
  const byId = new Map((session?.messages ?? []).map((message) => [message.id, message]));
  for (const message of session?.messages ?? []) {
    const said = account.may.get(message.text);
    if (said === undefined) found.push(`invented: ${message.role} ${short(message.text)}`);
    else if (said.role !== message.role) found.push(`${short(message.text)} is of ${message.role}`);
    const other = kept.get(message.text);
    if (other !== undefined && said !== undefined) {
      if (isBranch(account, said, message, other, branches)) branches.add(message.text);
      else found.push(`doubled: ${short(message.text)}`);
    }
    kept.set(message.text, message);
    const parent = message.parent === null ? null : byId.get(message.parent);
    const follows = parent === null ? null : account.may.get(parent?.text ?? '')?.id;
    if (parent === undefined) found.push(`${short(message.text)} hangs on ${message.parent}, which is not there`);
    else if (!account.isTorn && said !== undefined && account.after.get(message.text)?.has(follows ?? null) !== true)
      found.push(`${short(message.text)} hangs on ${parent === null ? 'nothing' : short(parent.text)}`);
  }
  if (byId.size !== (session?.messages.length ?? 0)) found.push('two messages have one id');
  for (const text of account.must) if (!kept.has(text)) found.push(`lost: ${short(text)}`);
  return found;
}

/**
 * Are two messages with the same words two, because each follows something else? Where the tool has no ids of its own, what a
 * message follows is part of what it is; a record in front that was torn or cut out makes another of it, and of all behind it.
 */
function isBranch(
  account: Account,
  said: Said,
  one: KeptMessage,
  other: KeptMessage,
  branches: ReadonlySet<string>,
): boolean {
  if (one.parent === other.parent || one.id.startsWith(said.id)) return false;
  const before = account.after.get(said.text) ?? new Set();
  const follows = [...account.may.values()].filter(({ id }) => before.has(id));
  return account.isTorn || before.size > 1 || follows.some(({ text }) => branches.has(text));
}

function nativeDifferences(native: NativeSession, session: KeptSession): string[] {
  const found = native.files().flatMap(({ key, bytes, kind }): string[] => {
    const archived = session.native(key);
    if (archived === undefined) return native.said.length === 0 ? [] : [`no native bytes of ${key}`];
    if (kind === 'whole')
      return archived.subarray(Math.max(0, archived.length - bytes.length)).equals(bytes)
        ? []
        : [`the native bytes of ${key} do not end as the file is`];
    const behind = bytes.subarray(archived.length).toString('utf8');
    if (!bytes.subarray(0, archived.length).equals(archived) || archived.length > bytes.length)
      return [`the native bytes of ${key} are others`];
    return behind.includes('\n') && behind.trim() !== ''
      ? [`native bytes of ${key} are missing: ${short(behind)}`]
      : [];
  });
  if (native.rows.length === 0) return found;
  const key = session.native('main') === undefined ? 'store' : 'main';
  const lines = (session.native(key) ?? Buffer.alloc(0)).toString('utf8').split('\n');
  const records = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as { readonly value?: unknown });
  const rows = new Set(records.map(({ value }) => canonical(value)));
  for (const row of native.rows) if (!rows.has(canonical(row))) found.push(`no native row ${short(canonical(row))}`);
  const versions = lines.filter((_, index) => records[index]?.value !== undefined);
  if (new Set(versions).size !== versions.length) found.push('a version of a native row is there twice');
  return found;
}

function canonical(value: unknown): string {
  return JSON.stringify(value) ?? '';
}

function short(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
