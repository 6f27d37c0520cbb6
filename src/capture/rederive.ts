/**
 * A session's messages made again from the native bytes we keep, by today's readers: the bytes go through capture into an
 * empty session beside the old one, and what came out otherwise is appended there. Nothing that is there is taken away.
 */

import { join } from 'node:path';
import type { Adapter } from '../adapters/adapter.ts';
import { SessionFsError } from '../errors.ts';
import { makeFolder, remove } from '../io/files.ts';
import { mergeFacts } from '../model/facts.ts';
import { revisionId, sha256Hex } from '../model/ids.ts';
import { canonicalJson } from '../model/json.ts';
import { baseId } from '../model/message.ts';
import type { Message } from '../model/message.ts';
import type { Manifest } from '../model/manifest.ts';
import type { CommitOutline, Cursor } from '../store/commit.ts';
import { SessionReader, asBase, readTools, readWorkspace } from '../store/session-reader.ts';
import { SessionWriter, commitAll, openForWriting } from '../store/session-writer.ts';
import type { Staged } from '../store/session-writer.ts';
import type { CaptureSite } from './capture.ts';
import { readSource } from './capture.ts';
import { deriveManifest, deriveTools, deriveWorkspace, outsideFactsOf } from './derive.ts';
import { costOf } from './price.ts';
import { filesOf, unpackInto, withTimes } from './kept-files.ts';
import type { Kept } from './kept-files.ts';
import { placedPart, seed } from './placed-part.ts';
import type { Placed } from './placed-part.ts';

/** What deriving one session again came to. */
export type Rederived =
  | { readonly outcome: 'changed'; readonly added: number; readonly revised: number }
  | { readonly outcome: 'unchanged' }
  /** It cannot be derived truthfully; nothing was touched. */
  | { readonly outcome: 'left'; readonly why: string };

/**
 * Derives one session again. `isTrial`: only says what would change. Throws `invalid-session` and `unreadable` when what is kept
 * is damaged, `session-busy`, `newer-format`, `store-unwritable`; the session is then as it was.
 */
export async function rederive(
  site: CaptureSite,
  adapter: Adapter | undefined,
  id: string,
  options: { readonly isTrial: boolean },
): Promise<Rederived> {
  const reader = SessionReader.open(site.store, id);
  const { commit } = reader;
  // A writer begins a directory without a commit again: it must not see one.
  const why = commit === undefined ? withoutBytes : reasonToLeave(commit, adapter);
  if (why !== undefined || adapter === undefined) return { outcome: 'left', why: why ?? withoutBytes };
  const writer = openForWriting(site.store, site.machine, id);
  const scratch = join(writer.folder, '.reparse.tmp');
  try {
    remove(scratch);
    const nativeId = reader.manifest.source.original_session_id ?? '';
    const files = filesOf(site, adapter, nativeId, writer);
    if (typeof files === 'string') return { outcome: 'left', why: files };
    const placed = writer.before.placed ? placedPart(site, writer, reader.manifest, files) : undefined;
    if (typeof placed === 'string') return { outcome: 'left', why: placed };
    const fresh = await deriveAfresh(site, adapter, nativeId, writer, files, placed, scratch);
    if (typeof fresh === 'string') return { outcome: 'left', why: fresh };
    if (fresh === undefined) return { outcome: 'left', why: 'today’s readers find no message in its native bytes' };
    try {
      return await unite(site, adapter, nativeId, writer, fresh, options.isTrial);
    } finally {
      fresh.close();
    }
  } finally {
    remove(scratch);
    writer.close();
    // Opening cuts off what was written and not committed.
    if (options.isTrial) SessionWriter.open(site.store, site.machine, id)?.close();
  }
}

const withoutBytes = 'it has no native bytes to derive it from';

function reasonToLeave(commit: CommitOutline, adapter: Adapter | undefined): string | undefined {
  if (Object.keys(commit.native).length === 0) return withoutBytes;
  if (adapter === undefined) return 'its tool is none that can be read';
  return undefined;
}

/**
 * Captures what is kept into an empty session below `scratch`, generation by generation, as it came. A text says
 * why it cannot be done; `undefined`: there is no message in it.
 */
async function deriveAfresh(
  site: CaptureSite,
  adapter: Adapter,
  nativeId: string,
  writer: SessionWriter,
  kept: readonly Kept[],
  placed: Placed | undefined,
  scratch: string,
): Promise<SessionWriter | string | undefined> {
  const store = { ...site.store, sessions: join(scratch, 'sessions') };
  const bytes = join(scratch, 'native');
  makeFolder(bytes);
  const rounds = 1 + Math.max(...kept.map(({ cursor, archived }) => (cursor.inherited ? 0 : archived.generation)));
  for (let round = 0; round < rounds; round += 1) {
    const machine = withTimes(site.machine, bytes, kept);
    const files = kept.map((file) => unpackInto(bytes, file, round));
    if (round === 0 && placed !== undefined) {
      const why = await seed(machine, store, adapter, nativeId, writer, files, placed);
      if (why !== undefined) return why;
    }
    const fresh = openForWriting(store, site.machine, writer.id);
    try {
      // Of what the tool made it decides what its own part is.
      const { parent } = outsideFactsOf(writer.before.facts);
      const found = { adapter, source: { nativeId, files, ...(parent === undefined ? {} : { facts: { parent } }) } };
      const read = await readSource({ machine }, found, fresh, writer.before.outsideFacts);
      const [unread] = read?.captured.problems ?? [];
      if (unread !== undefined) throw new SessionFsError('invalid-session', unread.problem);
      if (read === undefined) continue;
      const { failed } = await commitAll([read.staged]);
      for (const { why } of failed) throw why;
    } finally {
      fresh.close();
    }
  }
  const fresh = openForWriting(store, site.machine, writer.id);
  if (!fresh.isNew) return fresh;
  fresh.close();
  return undefined;
}

/** Appends to the session what the fresh derivation says otherwise, and makes its counts and facts the session's. */
async function unite(
  site: CaptureSite,
  adapter: Adapter,
  nativeId: string,
  writer: SessionWriter,
  fresh: SessionWriter,
  isTrial: boolean,
): Promise<Rederived> {
  const before = writer.manifest();
  const { added, revised } = appendMessages(writer, fresh);
  const isNewView = alignLive(writer, fresh);
  for (const [key, id] of fresh.keys()) writer.setKey(key, id);
  const staged = await stageAs(adapter, nativeId, writer, fresh, before);
  const isSame =
    added + revised === 0 &&
    !isNewView &&
    canonicalJson(staged.commit) === canonicalJson(writer.before) &&
    canonicalJson(staged.derived.manifest) === canonicalJson(before) &&
    canonicalJson(staged.derived.workspace ?? null) === canonicalJson(readWorkspace(writer.folder) ?? null) &&
    canonicalJson(staged.derived.tools ?? null) === canonicalJson(readTools(writer.folder) ?? null);
  if (isSame) return { outcome: 'unchanged' };
  if (!isTrial) {
    const { failed } = await commitAll([staged]);
    for (const { why } of failed) throw why;
    const { manifest, workspace } = staged.derived;
    site.index.put([{ manifest, workspace, commit: staged.commit }], site.machine);
  }
  return { outcome: 'changed', added, revised };
}

/** Appends messages that are new, and newer forms of those that read otherwise now. */
function appendMessages(
  writer: SessionWriter,
  fresh: SessionWriter,
): { readonly added: number; readonly revised: number } {
  const ours = newestForms(SessionReader.at(writer.folder));
  const theirs = SessionReader.at(fresh.folder);
  const newest = newestForms(theirs);
  let added = 0;
  let revised = 0;
  for (const message of theirs.lines()) {
    const base = baseId(message);
    const known = ours.get(base);
    if (known === undefined) {
      writer.append(message);
      added += Number(base === message.msg_id);
      continue;
    }
    const form = newest.get(base);
    if (form === undefined || form === known || formHash(message) !== form) continue;
    const revision = revisionOf(asBase(message), form, writer);
    if (revision === undefined) continue;
    writer.append(revision);
    ours.set(base, form);
    revised += 1;
  }
  return { added, revised };
}

/** Each message's newest form by base id: a hash of all of it. */
function newestForms(reader: SessionReader): Map<string, string> {
  const forms = new Map<string, string>();
  for (const message of reader.lines()) forms.set(baseId(message), formHash(message));
  return forms;
}

function formHash(message: Message): string {
  const { metadata = {}, ...said } = asBase(message);
  return sha256Hex(canonicalJson([said, metadata]));
}

/**
 * A newer form under an id that is free: the usual one, else (the same was said by an earlier form, which differs in its parent,
 * time or marks) one made of the whole form. `undefined`: the form is there, with newer ones after it.
 */
function revisionOf(message: Message, form: string, writer: SessionWriter): Message | undefined {
  const base = message.msg_id;
  const id = [revisionId(base, message), `${base}~${form.slice(0, 8)}`].find((free) => !writer.has(free));
  return id === undefined ? undefined : { ...message, msg_id: id, metadata: { ...message.metadata, revises: base } };
}

/** Makes the live view that of the fresh derivation; was it another? */
function alignLive(writer: SessionWriter, fresh: SessionWriter): boolean {
  const wanted = fresh.liveView();
  const isAligned = (): boolean => canonicalJson(writer.liveView()) === canonicalJson(wanted);
  if (isAligned()) return false;
  for (const op of fresh.liveOps()) writer.live(op);
  const last = wanted.at(-1) ?? null;
  writer.live({ op: 'leaf', id: last });
  // An operation of the earlier reader still shows: the view is stated whole.
  if (!isAligned() && last !== null) writer.live({ op: 'replace', at: last, with: wanted });
  return true;
}

/** The session's next commit: what was derived, with what only its source or a person could say. */
async function stageAs(
  adapter: Adapter,
  nativeId: string,
  writer: SessionWriter,
  fresh: SessionWriter,
  before: Manifest | undefined,
): Promise<Staged> {
  const { tally, copied, promptTitle, records, losses } = fresh.before;
  const { copied: _, ...kept } = writer.before;
  const facts = mergeFacts(outsideFactsOf(writer.before.facts), fresh.before.facts);
  const cursors = cursorsOf(writer.promised, fresh.before.cursors);
  const [main] = Object.values(cursors);
  const derived = fresh.manifest();
  const parent = derived?.metadata?.base;
  return writer.stage(
    { ...kept, cursors, facts, tally, ...(copied === undefined ? {} : { copied }), promptTitle, records, losses },
    {
      manifest: deriveManifest({
        sessionId: writer.id,
        tool: adapter.id,
        nativeId,
        nativePath: main?.path,
        facts,
        tally,
        promptTitle,
        losses: new Map(Object.entries(losses)),
        cost: await costOf(tally.models),
        fallbackTime: new Date(main?.modifiedMs ?? 0).toISOString(),
        isPlaced: writer.before.placed,
        before: before === undefined ? undefined : withoutDerived(before),
        parent,
      }),
      workspace: deriveWorkspace(facts),
      tools: deriveTools(facts, tally),
    },
  );
}

/** Where the sources lay and what they weighed, with the state of today's reader; the main file first. */
function cursorsOf(
  before: { readonly [key: string]: Cursor },
  fresh: { readonly [key: string]: Cursor },
): { readonly [key: string]: Cursor } {
  const [mainKey] = Object.keys(fresh);
  const keys = Object.keys(before).toSorted((a, b) => Number(b === mainKey) - Number(a === mainKey));
  return Object.fromEntries(
    keys.flatMap((key) => {
      const place = before[key];
      const read = fresh[key];
      if (place === undefined) return [];
      return [
        [key, read === undefined ? place : { ...place, offset: read.offset, guard: read.guard, state: read.state }],
      ];
    }),
  );
}

/** The manifest without what the messages and the source say: a person's registers and what others put there. */
function withoutDerived(manifest: Manifest): Manifest {
  const { losses: _losses, usage: _usage, agent_calls: _calls, ...metadata } = manifest.metadata ?? {};
  return { ...manifest, metadata };
}
