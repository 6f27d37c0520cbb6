/** From a native source into the store, reading only what is new. One path for `sfs import` and the daemon. */

import type { Adapter, Source, SourceFile } from '../adapters/adapter.ts';
import { SessionFsError, messageOf } from '../errors.ts';
import type { Machine } from '../io/machine.ts';
import { canonicalJson } from '../model/json.ts';
import { sessionId } from '../model/ids.ts';
import { mergeFacts } from '../model/facts.ts';
import type { Cursor } from '../store/commit.ts';
import type { SessionIndex } from '../store/session-index.ts';
import type { SessionWriter, Staged } from '../store/session-writer.ts';
import { commitAll, openForWriting } from '../store/session-writer.ts';
import type { Store } from '../store/store.ts';
import type { WriterMemory } from '../store/writer-memory.ts';
import { Tombstones } from '../store/trash.ts';
import { deriveManifest, deriveTools, deriveWorkspace, isSameWorkspace } from './derive.ts';
import { Gathering } from './gather.ts';
import { costOf } from './price.ts';
import { infoOf, readDatabase } from './read-database.ts';
import type { ReadResult, Reading } from './read-source.ts';
import { isUnchanged, readSourceFile } from './read-source.ts';

/** Where capture works. */
export interface CaptureSite {
  readonly machine: Machine;
  readonly store: Store;
  readonly index: SessionIndex;
  /** Of a process that captures the same sessions again and again. */
  readonly memory?: WriterMemory;
}

/** One source of one tool. */
export interface Found {
  readonly adapter: Adapter;
  readonly source: Source;
}

/** What capturing one source came to. */
export interface Captured {
  readonly found: Found;
  readonly sessionId: string;
  /** `rewritten`: the source no longer begins as it did; what it lost stays with us. `deleted`: a person deleted it here. */
  readonly outcome: 'new' | 'grown' | 'rewritten' | 'unchanged' | 'empty' | 'deleted' | 'failed';
  /** Messages that came in. */
  readonly messages: number;
  /** Bytes read from the source. */
  readonly bytes: number;
  /** What could not be read (the rest of the source could), or why it `failed`. */
  readonly problems: readonly Unreadable[];
}

/** Something about a source a person should know. */
export interface Unreadable {
  /** Absolute. */
  readonly path: string;
  readonly problem: string;
}

/** Native bytes after which what was read is made durable. */
const flushBytes = 64 << 20;
/** Longest time until the first sessions can be listed, in milliseconds. */
const flushMs = 1000;

/**
 * Captures sources in the order given. A source that fails is told and leaves the others alone; a store that cannot be
 * written ends it with `store-unwritable`, with everything flushed so far kept.
 */
export async function captureAll(
  site: CaptureSite,
  sources: Iterable<Found>,
  report: (captured: Captured) => void,
): Promise<void> {
  const committer = new Committer(site, report);
  const tombstones = new Tombstones(site.store, site.machine);
  try {
    for (const found of sources) {
      await captureOne(site, found, tombstones, committer, report);
      if (committer.broken !== undefined) break;
    }
  } finally {
    await committer.flush();
  }
  if (committer.broken !== undefined) throw committer.broken;
}

async function captureOne(
  site: CaptureSite,
  found: Found,
  tombstones: Tombstones,
  committer: Committer,
  report: (captured: Captured) => void,
): Promise<void> {
  const id = sessionId(found.adapter.id, found.source.nativeId);
  const outside = outsideFactsOf(site, found.source);
  const nothing = { found, sessionId: id, messages: 0, bytes: 0, problems: [] } as const;
  if (isKnown(site, found.source, id, outside)) return report({ ...nothing, outcome: 'unchanged' });
  if (tombstones.has(id)) return report({ ...nothing, outcome: 'deleted' });
  let writer: SessionWriter | undefined;
  try {
    writer = openForWriting(site.store, site.machine, id, site.memory);
    const read = await readSource(site, found, writer, outside);
    if (read === undefined) {
      writer.close();
      return report({ ...nothing, outcome: 'empty' });
    }
    await committer.add(read.staged, read.captured);
  } catch (cause) {
    writer?.close();
    if (cause instanceof SessionFsError && cause.code === 'store-unwritable') committer.broken ??= cause;
    report({
      ...nothing,
      outcome: 'failed',
      problems: [{ path: found.source.files[0]?.path ?? id, problem: messageOf(cause) }],
    });
  }
}

/** Did nothing about the source change since the index saw it? */
export function isUpToDate(site: CaptureSite, { adapter, source }: Found): boolean {
  return isKnown(site, source, sessionId(adapter.id, source.nativeId), outsideFactsOf(site, source));
}

function outsideFactsOf(site: CaptureSite, source: Source): string {
  return site.machine.sha256(canonicalJson(source.facts ?? {}));
}

function isKnown(site: CaptureSite, source: Source, id: string, outside: string): boolean {
  return source.files.every((file) => {
    const row = site.index.source(file.path);
    if (row === undefined) return false;
    // What was inherited is another session's file; it was read once and for all.
    if (row.session_id !== id) return file.inherited !== undefined;
    if (row.outside_facts !== outside) return false;
    const info = infoOf(site.machine, file);
    return (
      info !== undefined &&
      isUnchanged(
        {
          path: file.path,
          device: row.device,
          inode: row.inode,
          sizeBytes: row.size_bytes,
          modifiedMs: row.modified_ms,
        },
        file,
        info,
      )
    );
  });
}

/**
 * Reads what the files of a source have gained and writes everything but the commit; `undefined` when there is nothing to make
 * a session of. `outside`: the hash of what the tool tells outside them.
 */
export async function readSource(
  site: Pick<CaptureSite, 'machine'>,
  found: Found,
  writer: SessionWriter,
  outside: string,
): Promise<{ readonly staged: Staged; readonly captured: Captured } | undefined> {
  const { adapter, source } = found;
  const gathering = new Gathering(writer);
  const reading: Reading = { machine: site.machine, adapter, nativeId: source.nativeId, writer, gathering };
  const cursors: { [key: string]: Cursor } = { ...writer.before.cursors };
  let bytes = 0;
  let rewritten = false;
  const problems: Unreadable[] = [];
  for (const file of source.files) {
    const read = await readable(reading, file, problems);
    if (read === undefined) continue;
    cursors[file.key] = read.cursor;
    bytes += read.bytes;
    rewritten ||= read.rewritten;
  }
  const [unread] = problems;
  gathering.finish();
  if (writer.isNew && gathering.added === 0) {
    if (unread !== undefined) throw new SessionFsError('unreadable', unread.problem);
    return undefined;
  }
  const facts = source.facts === undefined ? gathering.facts : mergeFacts(gathering.facts, source.facts);
  const tally = facts.parent === undefined ? gathering.tally : gathering.own;
  const copied = facts.parent === undefined ? gathering.copiedPart : undefined;
  const mainKey = mainKeyOf(adapter, source, cursors, writer.before.cursors);
  const before = writer.manifest();
  const lastShared = facts.parent?.msg ?? gathering.lastInherited ?? before?.metadata?.base?.msg;
  const cost = await costOf(tally.models);
  const keepsWorkspace = writer.isRemembered && isSameWorkspace(facts, writer.before.facts);
  const fallback = new Date(cursors[mainKey ?? '']?.modifiedMs ?? 0).toISOString();
  const staged = writer.stage(
    {
      cursors: mainFirst(cursors, mainKey),
      facts,
      outsideFacts: outside,
      tally,
      ...(copied === undefined ? {} : { copied }),
      promptTitle: gathering.promptTitle,
      records: Object.fromEntries(gathering.records),
      losses: Object.fromEntries(gathering.losses),
      placed: writer.before.placed,
    },
    {
      manifest: deriveManifest({
        sessionId: writer.id,
        tool: adapter.id,
        nativeId: source.nativeId,
        nativePath: cursors[mainKey ?? '']?.path,
        facts,
        tally,
        promptTitle: gathering.promptTitle,
        losses: gathering.losses,
        cost,
        fallbackTime: fallback,
        isPlaced: writer.before.placed,
        before,
        parent:
          facts.parent === undefined
            ? undefined
            : { session: sessionId(facts.parent.tool ?? adapter.id, facts.parent.nativeId), msg: lastShared ?? null },
      }),
      workspace: deriveWorkspace(keepsWorkspace ? { ...facts, files: [] } : facts),
      keepsWorkspace,
      tools: deriveTools(facts, tally),
    },
  );
  const outcome = writer.isNew ? 'new' : rewritten ? 'rewritten' : gathering.added > 0 ? 'grown' : 'unchanged';
  return {
    staged,
    captured: { found, sessionId: writer.id, outcome, messages: gathering.added, bytes, problems },
  };
}

/** One file that cannot be read leaves the others of its source alone; it is read when it can be. */
async function readable(reading: Reading, file: SourceFile, problems: Unreadable[]): Promise<ReadResult | undefined> {
  try {
    return file.kind === 'database' ? readDatabase(reading, file) : await readSourceFile(reading, file);
  } catch (cause) {
    if (!(cause instanceof SessionFsError) || cause.code !== 'unreadable') throw cause;
    reading.writer.leaveArchive(file.key);
    problems.push({ path: file.path, problem: cause.message });
    return undefined;
  }
}

/** The file the session is listed by: the first that holds its conversation, or once all of those are gone the last that did. */
function mainKeyOf(
  adapter: Adapter,
  source: Source,
  cursors: { readonly [key: string]: Cursor },
  before: { readonly [key: string]: Cursor },
): string | undefined {
  const own = source.files.filter((file) => file.inherited === undefined);
  const { holds } = adapter.reader;
  if (holds === undefined) return own[0]?.key;
  const holder = own.find((file) => {
    const cursor = cursors[file.key];
    return cursor !== undefined && holds(file, cursor.state);
  });
  return holder?.key ?? Object.keys(before)[0] ?? own[0]?.key;
}

/** The main file's cursor comes first: the index lists its path as the session's. */
function mainFirst(
  cursors: { readonly [key: string]: Cursor },
  key: string | undefined,
): { readonly [key: string]: Cursor } {
  const main = key === undefined ? undefined : cursors[key];
  return key === undefined || main === undefined ? cursors : { [key]: main, ...cursors };
}

/** Gathers written sessions and makes them durable together. */
class Committer {
  readonly #site: CaptureSite;
  readonly #report: (captured: Captured) => void;
  #waiting: { readonly staged: Staged; readonly captured: Captured }[] = [];
  #bytes = 0;
  #since = performance.now();
  /** Why the store cannot be written, once it cannot. */
  broken: SessionFsError | undefined;

  constructor(site: CaptureSite, report: (captured: Captured) => void) {
    this.#site = site;
    this.#report = report;
  }

  async add(staged: Staged, captured: Captured): Promise<void> {
    this.#waiting.push({ staged, captured });
    this.#bytes += captured.bytes;
    if (this.#bytes >= flushBytes || performance.now() - this.#since >= flushMs) await this.flush();
  }

  /** Makes what was gathered durable. */
  async flush(): Promise<void> {
    const group = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    if (group.length === 0) return;
    const { committed, failed } = await commitAll(group.map((one) => one.staged));
    this.#site.index.put(
      committed.map(({ derived: { manifest, workspace }, commit }) => ({ manifest, workspace, commit, isThere: true })),
      this.#site.machine,
    );
    const done = new Set(committed);
    const reasons = new Map(failed.map(({ staged, why }) => [staged, why]));
    for (const { staged, captured } of group) {
      if (done.has(staged)) {
        this.#report(captured);
        continue;
      }
      const why = reasons.get(staged);
      if (why instanceof SessionFsError && why.code === 'store-unwritable') this.broken ??= why;
      this.#report({
        ...captured,
        outcome: 'failed',
        problems: [{ path: staged.writer.folder, problem: messageOf(why) }],
      });
    }
    this.#since = performance.now();
  }
}
