/** Going on with a session, in its own tool or in any other that can be written. */

import { dirname, join } from 'node:path';
import type { Adapter, Registration, WriteGiven, Writer } from '../adapters/adapter.ts';
import { isOlder } from '../adapters/shared/version.ts';
import { adopt } from '../capture/adopt.ts';
import type { CaptureSite } from '../capture/capture.ts';
import { SessionFsError } from '../errors.ts';
import { beginsWith } from '../io/files.ts';
import type { PreparedFile } from '../io/files.ts';
import { pathBelow, prepareBelow } from '../io/place.ts';
import { countCarried, emptyCarried } from '../model/carried.ts';
import type { Carried } from '../model/carried.ts';
import { mapped } from '../model/mapped.ts';
import type { Message } from '../model/message.ts';
import { readArchive } from '../store/archive.ts';
import type { CommitOutline } from '../store/commit.ts';
import { note } from '../store/ledger.ts';
import { notePlacing, sweepPlacing } from '../store/placing.ts';
import type { SessionIndex, SessionRow } from '../store/session-index.ts';
import { SessionReader } from '../store/session-reader.ts';
import type { MessageLine } from '../store/session-reader.ts';
import { fitTo, withLosses } from './budget.ts';
import type { Budget, Budgeted, Fitted } from './budget.ts';
import { audited } from './audit.ts';
import type { Context } from './context.ts';
import { catchUp } from './catch-up.ts';
import { withIndex } from './with-index.ts';
import { findSession } from './find-session.ts';
import { liveSessionFor } from './live-session.ts';
import { onThread } from './on-thread.ts';
import { homeOf, toolNamed, versionOf } from './tools.ts';
import { findWorkspace } from './workspace.ts';

/** What is asked. */
export interface ResumeRequest {
  readonly session: string;
  /** The tool to go on in; the session's own when not named. */
  readonly in?: string;
  readonly project?: string;
  readonly model?: string;
  /** What the conversation is to fit into; all of it goes along when absent. */
  readonly budget?: Budget;
}

/** `resume --json`. */
export interface Resumed {
  /** The session that goes on: the same one, or the child that was made for another tool. */
  readonly session_id: string;
  readonly parent_session_id: string | null;
  readonly native_id: string;
  readonly tool: string;
  readonly title: string | null;
  /** `opened`: the tool's own file is there; `restored`: put back from the archive; `converted`: written anew. */
  readonly how: 'opened' | 'restored' | 'converted';
  /** Absolute paths of the native files. */
  readonly files: readonly string[];
  readonly cwd: string;
  /** What to type next, as argv, in `cwd`. */
  readonly command: readonly string[];
  readonly installed: boolean;
  readonly carried: Carried;
  /** What the other format has no room for, by name. */
  readonly losses: { readonly [name: string]: number };
  /** Where a budget was asked for: what it left out. */
  readonly budget?: Budgeted;
  /** Does the tool list it? */
  readonly listed: boolean;
  /** Lines a person should read. */
  readonly notices: readonly string[];
}

/** Writes and registers the session so that the tool goes on with it. Starts nothing. */
export async function resume(context: Context, request: ResumeRequest): Promise<Resumed> {
  return audited(
    context,
    'resume',
    () => resumeNow(context, request),
    ({ session_id: id, tool, how, parent_session_id: parent, native_id: native }) => ({
      session_id: id,
      tool,
      outcome: how,
      details: { native_id: native, ...(parent === null ? {} : { parent_session_id: parent }) },
    }),
  );
}

async function resumeNow(context: Context, request: ResumeRequest): Promise<Resumed> {
  return withIndex(context, { create: false }, async (index) => {
    sweepPlacing(context.store, context.machine);
    const found = findSession(index, request.session, context);
    const done = await onThread<Resumed>(context, found.session_id, 'resume', request);
    if (done !== undefined) return done;
    const source = context.adapters.find((adapter) => adapter.id === found.tool);
    const target = request.in === undefined ? source : toolNamed(context, request.in);
    if (target === undefined) {
      throw new SessionFsError(
        'unsupported-tool',
        `${found.session_id} comes from ${found.tool}, which cannot be written`,
        `name the tool to go on in: sfs resume ${found.session_id} --in ${context.adapters[0]?.id ?? 'TOOL'}`,
      );
    }
    const writer = target.writer;
    if (writer === undefined)
      throw new SessionFsError(
        'unsupported-tool',
        `sessions of ${target.name} can be captured but not written`,
        `name a tool to go on in: sfs resume ${found.session_id} --in ${context.adapters.find((one) => one.writer !== undefined)?.id ?? 'TOOL'}`,
      );
    const site = { machine: context.machine, store: context.store, index };
    const row = await catchUp(site, source, found);
    return new Resumption(context, site, index, row, source, target, writer, request).run();
  });
}

/** One resume. */
class Resumption {
  readonly #context: Context;
  readonly #site: CaptureSite;
  readonly #row: SessionRow;
  readonly #source: Adapter | undefined;
  readonly #target: Adapter;
  readonly #writer: Writer;
  readonly #request: ResumeRequest;
  readonly #reader: SessionReader;
  readonly #cwd: string;
  readonly #home: string;
  readonly #index: SessionIndex;
  #fitted: Fitted | undefined;

  constructor(
    context: Context,
    site: CaptureSite,
    index: SessionIndex,
    row: SessionRow,
    source: Adapter | undefined,
    target: Adapter,
    writer: Writer,
    request: ResumeRequest,
  ) {
    this.#context = context;
    this.#site = site;
    this.#row = row;
    this.#source = source;
    this.#target = target;
    this.#writer = writer;
    this.#request = request;
    this.#reader = SessionReader.open(context.store, row.session_id);
    this.#cwd = findWorkspace(context.machine, index, this.#reader.workspace, request.project, row.session_id);
    this.#home = context.machine.realPath(homeOf(context, target));
    this.#index = index;
  }

  async run(): Promise<Resumed> {
    const version = await this.#version();
    const nativeId = this.#row.native_id;
    const { budget, model } = this.#request;
    if (budget !== undefined) {
      const room = { index: this.#index, row: this.#row, target: this.#target, model };
      this.#fitted = await fitTo(budget, this.#reader.live(), room);
      // The whole session stays as it is; what is left of it goes on as a child.
      if (this.#fitted.budgeted.whole !== null) return this.#convert(version, undefined);
    }
    // What was taken in from elsewhere has no source here, and its native id may be one of ours.
    const isOwn = this.#target === this.#source && nativeId !== null && this.#row.native_path !== null;
    if (!isOwn || this.#row.native_path === null || this.#writer.opens?.(nativeId, this.#row.native_path) === false)
      return this.#convert(version, undefined);
    const root = this.#reader.workspace?.root_path;
    const isThere = this.#isThere(this.#row.native_path);
    const isMoved =
      this.#request.project !== undefined && (root === undefined || this.#context.machine.realPath(root) !== this.#cwd);
    // In another folder the tool would not find its own file: there it gets a session of its own.
    if (isThere && isMoved) return this.#convert(version, undefined);
    this.#refuseLive(nativeId);
    if (isThere) return this.#opened(version, nativeId);
    return (await this.#restore(version, nativeId)) ?? this.#convert(version, nativeId);
  }

  /** Is the tool's own session still there? One in a database has no file of its own. */
  #isThere(path: string): boolean {
    const { machine } = this.#context;
    if (machine.stat(path) !== undefined) return true;
    const { load, sourceAt } = this.#target.reader;
    return load !== undefined && sourceAt(machine, path, () => undefined) !== undefined;
  }

  /** The file; of a session in a database that. */
  #fileAt(path: string): string {
    const { machine } = this.#context;
    return machine.stat(dirname(path))?.kind === 'file' ? dirname(path) : path;
  }

  /** The installed version. */
  async #version(): Promise<string | undefined> {
    const { machine } = this.#context;
    const command = machine.which(this.#target.install.command);
    return command === undefined ? undefined : versionOf(machine, this.#target, command);
  }

  /** Refuses a version too old to load what is put there; its own file it is left to judge itself. */
  #refuseOld(version: string | undefined): void {
    if (version !== undefined && isOlder(version, this.#writer.minimumVersion)) {
      const update =
        this.#target.install.npm === undefined
          ? 'update it'
          : `update it: npm install -g ${this.#target.install.npm}@latest`;
      throw new SessionFsError(
        'version-too-old',
        `${this.#target.name} ${version} does not load such a session; ${this.#writer.minimumVersion} or newer does`,
        update,
      );
    }
  }

  #refuseLive(nativeId: string): void {
    if (!this.#writer.live(this.#context.machine, this.#home, nativeId)) return;
    const others = this.#context.adapters
      .filter((adapter) => adapter !== this.#target && adapter.writer !== undefined)
      .map((adapter) => adapter.id);
    throw new SessionFsError(
      'session-live',
      `${this.#target.name} has ${nativeId} open right now`,
      `end it there first, or go on elsewhere: --in ${others.join('|')}`,
    );
  }

  async #opened(version: string | undefined, nativeId: string): Promise<Resumed> {
    const files = Object.values(this.#reader.commit?.cursors ?? {})
      .filter((cursor) => cursor.inherited !== true)
      .map((cursor) => this.#fileAt(cursor.path));
    return this.#result({
      how: 'opened',
      version,
      nativeId,
      sessionId: this.#row.session_id,
      files,
      carried: countLive(this.#reader.live()),
      losses: {},
      registration: { listed: true, how: 'its own file' },
    });
  }

  /** Puts the vendor's own bytes back; `undefined` when this tool's sessions cannot be put back so. */
  async #restore(version: string | undefined, nativeId: string): Promise<Resumed | undefined> {
    this.#refuseOld(version);
    const commit = this.#reader.commit;
    if (commit === undefined) return undefined;
    const given = await this.#given(version, nativeId);
    const archived = Object.entries(commit.native).map(([key]) => ({ key, path: commit.cursors[key]?.path ?? '' }));
    const places = this.#writer.restore(archived, given);
    if (places === undefined) return undefined;
    // First, while there is room: what is put back passes through memory that is given back late.
    const carried = countLive(this.#reader.live());
    const files = this.#putBack(places, commit, given.home);
    this.#note(this.#row.session_id, null, nativeId, files);
    const registration = await this.#register(nativeId, files, given);
    return this.#result({
      how: 'restored',
      version,
      nativeId,
      sessionId: this.#row.session_id,
      files: files.map(({ path }) => path),
      carried,
      losses: {},
      registration,
    });
  }

  /** Writes archived files where they belong, by key; those that are there already stay as they are. */
  #putBack(
    places: ReadonlyMap<string, string>,
    commit: CommitOutline,
    home: string,
  ): { readonly key: string; readonly path: string; readonly bytes: number }[] {
    const folders = [...places.values()].map((path) => dirname(join(home, path)));
    const placed = notePlacing(this.#context.store, this.#context.machine, folders);
    const prepared: { readonly key: string; readonly file: PreparedFile }[] = [];
    try {
      for (const [key, path] of places) {
        const archived = commit.native[key];
        if (archived === undefined) continue;
        const bytes = { [Symbol.iterator]: () => readArchive(this.#reader.folder, key, archived) };
        // A part the tool has left in place (a sub-agent's file) stays as it is.
        if (beginsWith(pathBelow(home, path), bytes)) continue;
        prepared.push({ key, file: prepareBelow(home, path, bytes) });
      }
      for (const { file } of prepared) file.publish();
    } catch (cause) {
      for (const { file } of prepared) file.discard();
      throw cause;
    } finally {
      placed();
    }
    return prepared.map(({ key, file }) => ({ key, path: file.path, bytes: file.info.sizeBytes }));
  }

  /** Writes the live view in the target's own form. With an id it replaces the session's lost file, else it is a child. */
  async #convert(version: string | undefined, nativeId: string | undefined): Promise<Resumed> {
    this.#refuseOld(version);
    const given = await this.#given(version, nativeId);
    const live: Iterable<MessageLine> =
      this.#fitted === undefined ? this.#reader.liveLines() : mapped(this.#fitted.messages, (message) => ({ message }));
    const adopted = await adopt(this.#site, {
      adapter: this.#target,
      home: given.home,
      cwd: this.#cwd,
      source: this.#reader,
      live,
      nativeId: given.nativeId,
      write: (messages) =>
        withLosses(
          this.#writer.write(liveSessionFor(this.#reader, this.#source, this.#target, messages), given),
          this.#fitted?.budgeted.left_out,
        ),
      now: given.now,
    });
    const isChild = adopted.sessionId !== this.#row.session_id;
    this.#note(adopted.sessionId, isChild ? this.#row.session_id : null, given.nativeId, adopted.files);
    const registration = await this.#register(given.nativeId, adopted.files, given);
    return this.#result({
      how: 'converted',
      version,
      nativeId: given.nativeId,
      sessionId: adopted.sessionId,
      files: adopted.files.map(({ path }) => path),
      carried: adopted.carried,
      losses: adopted.losses,
      registration,
    });
  }

  #given(version: string | undefined, nativeId: string | undefined): Promise<WriteGiven> {
    return this.#writer.prepare(this.#context.machine, { home: this.#home, cwd: this.#cwd, version, nativeId });
  }

  #note(
    sessionId: string,
    parent: string | null,
    nativeId: string,
    files: readonly { readonly path: string; readonly bytes: number }[],
  ): void {
    const { machine, store } = this.#context;
    note(store, 'placed', {
      at: machine.now().toISOString(),
      session_id: sessionId,
      parent_session_id: parent,
      tool: this.#target.id,
      native_id: nativeId,
      files: files.map(({ path, bytes }) => ({ path, bytes })),
    });
  }

  async #register(
    nativeId: string,
    files: readonly { readonly key: string; readonly path: string }[],
    given: WriteGiven,
  ): Promise<Registration> {
    const title = this.#reader.manifest.title ?? undefined;
    return (
      (await this.#writer.register?.(this.#context.machine, { nativeId, title, files }, given)) ?? {
        listed: true,
        how: 'the file is enough',
      }
    );
  }

  /** What to say where the program that was written for is not here. */
  #absent(): string {
    const { name, id, install, exchange } = this.#target;
    if (exchange?.suits(this.#context.machine, this.#home) !== true)
      return `${name} is not installed here; the command works where it is.`;
    return `${install.command} is not installed here, and ${name} takes a session in as a file: sfs export ${this.#row.session_id} --format ${id}`;
  }

  #result(from: {
    readonly how: Resumed['how'];
    readonly version: string | undefined;
    readonly nativeId: string;
    readonly sessionId: string;
    readonly files: readonly string[];
    readonly carried: Carried;
    readonly losses: { readonly [name: string]: number };
    readonly registration: Registration;
  }): Resumed {
    const { name } = this.#target;
    const notices: string[] = [];
    if (from.version === undefined) notices.push(this.#absent());
    else if (isOlder(this.#writer.provenVersion, from.version))
      notices.push(
        `${name} ${from.version} is newer than ${this.#writer.provenVersion}, the newest this was proven with.`,
      );
    if (!from.registration.listed)
      notices.push([from.registration.why, from.registration.hint].filter(Boolean).join(': '));
    return {
      session_id: from.sessionId,
      parent_session_id: from.sessionId === this.#row.session_id ? this.#row.parent_session_id : this.#row.session_id,
      native_id: from.nativeId,
      tool: this.#target.id,
      title: this.#reader.manifest.title ?? null,
      how: from.how,
      files: from.files,
      cwd: this.#cwd,
      command: this.#writer.launch(from.nativeId, { cwd: this.#cwd, model: this.#request.model }),
      installed: from.version !== undefined || this.#context.machine.which(this.#target.install.command) !== undefined,
      carried: from.carried,
      losses: from.losses,
      ...(this.#fitted === undefined ? {} : { budget: this.#fitted.budgeted }),
      listed: from.registration.listed,
      notices,
    };
  }
}

/** What a live view holds. */
function countLive(messages: Iterable<Message>): Carried {
  const carried = emptyCarried();
  for (const message of messages) countCarried(carried, message);
  return carried;
}
