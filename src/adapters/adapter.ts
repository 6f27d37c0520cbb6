/**
 * The adapter contract: what SessionFS must know of one coding tool. In words: what it is called, where it lives, how to
 * read it, how to write it, what it can carry.
 */

import type { BlockKind } from '../model/block.ts';
import type { Json, JsonObject } from '../model/json.ts';
import type { LiveOp } from '../model/live.ts';
import type { GitContext } from '../model/manifest.ts';
import type { SessionFacts } from '../model/facts.ts';
import type { Message } from '../model/message.ts';
import type { ResponseUsage } from '../model/tally.ts';
import type { Machine } from '../io/machine.ts';
import type { Vocabulary } from './shared/vocabulary.ts';

export type { SessionFacts } from '../model/facts.ts';

/** One coding tool. Everything outside `src/adapters` reads these fields and never the id. */
export interface Adapter {
  /** Stored as `source.tool`; kebab-case; the folder has the same name. */
  readonly id: string;
  /** What people call it. */
  readonly name: string;
  /** Other names the command line accepts. */
  readonly aliases: readonly string[];
  readonly home: Home;
  readonly install: Install;
  /** What the tool deletes of its sessions by itself. Absent: it is not known to delete any. */
  readonly retention?: Retention;
  /** The block kinds the native format can hold; a conversion loses the others. */
  readonly carries: readonly BlockKind[];
  readonly vocabulary: Vocabulary;
  readonly reader: Reader;
  /** Absent: sessions can be captured and not written. */
  readonly writer?: Writer;
  /** A file that the tool takes in by a command of its own: what `sfs export` writes for it. Absent: its own files. */
  readonly exchange?: Exchange;
}

/** Where a tool keeps its sessions. */
export interface Home {
  /** Environment variables that move it, first one set wins; `append` is joined to the value; `on`: only on that platform. */
  readonly env: readonly { readonly name: string; readonly append?: string; readonly on?: string }[];
  /** Relative to the person's home directory, by platform; `linux` stands in for those not named. */
  readonly default: { readonly linux: string; readonly darwin?: string; readonly win32?: string };
  /** Folders below the home that hold sessions, for watching. */
  readonly watch: readonly string[];
  /** Folders elsewhere that do, absolute: of a tool with several homes. */
  beside?(machine: Machine, home: string): readonly string[];
}

/** How the tool is recognised as installed. */
export interface Install {
  /** The command, looked up in PATH: the program that sessions are written for. */
  readonly command: string;
  /** Other programs of the tool, shown as installed where that one is not. */
  readonly also?: readonly string[];
  /** The npm package, whose `package.json` beside the command tells the version without running it. */
  readonly npm?: string;
  /** Arguments that print the version; the first dotted number in the output is taken. */
  readonly versionArgs: readonly string[];
}

/** When the tool deletes its own sessions, by its settings. */
export interface Retention {
  /** The file of the settings, relative to the home. */
  readonly settings: string;
  /** What to write there so that it keeps every session: a member of the outermost object. */
  readonly keepAll: string;
  /** How long it keeps them by the text of that file; `undefined`: there is none. Pure, and throws on no text. */
  read(text: string | undefined): Keeps;
}

/** How long sessions are kept; neither days nor a number of sessions: for ever. */
export interface Keeps {
  /** Since the last change; may be a fraction. */
  readonly days?: number;
  /** At most so many. */
  readonly sessions?: number;
  /** Nobody set it. */
  readonly isDefault: boolean;
}

/** One native session where it lies. */
export interface Source {
  /** The tool's own full id of the session. */
  readonly nativeId: string;
  /** The files in the order they are to be read: what others refer to comes first. At least one. */
  readonly files: readonly SourceFile[];
  /** What the tool knows outside these files (a name in its index). Capture compares it, so it must be stable. */
  readonly facts?: SessionFacts;
}

/** One file of a source. */
export interface SourceFile {
  /** Unique within the session and stable: a path-safe name (`[A-Za-z0-9._-]`) and the folder below `native/`. */
  readonly key: string;
  /** Absolute. Of a session in a database: the database's path, and behind it, where a folder's entry would stand, the session. */
  readonly path: string;
  /**
   * - `log`: JSON lines, appended to. Each line is decoded alone.
   * - `document`: one JSON value, rewritten whole. Decoded as one record at each change.
   * - `attachment`: kept in `native/` and not decoded.
   * - `database`: rows of a database. They are told by `reader.load`, archived as JSON lines as they change, and decoded as a log.
   */
  readonly kind: 'log' | 'document' | 'attachment' | 'database';
  /** Of a session in a database: what stands in for a file's size and time. While it is the same, its rows are not read. */
  readonly rows?: RowsInfo;
  /** A log that the tool has compressed since: what is archived and decoded is what it holds. */
  readonly packed?: 'zstd';
  /** The sub-agent whose own file this is. */
  readonly agentId?: string;
  /**
   * Belongs to another session, which archives it: only the first `bytes` are decoded, as what this session inherited,
   * and nothing is copied to `native/`.
   */
  readonly inherited?: { readonly bytes: number };
}

/** How a session's rows stand in a database, as far as can be told without reading them. */
export interface RowsInfo {
  /** How much there is: rows, or bytes. */
  readonly size: number;
  /** Milliseconds since 1970, as the tool has it. */
  readonly modifiedMs: number;
  /** A whole number of at most 52 bits, another one whenever a row is. */
  readonly version: number;
}

/** One row of a session in a database. */
export interface LoadedRow {
  /** Unique within the file and stable. */
  readonly key: string;
  /** Without a space; while it is the same the row need not be read again. */
  readonly stamp: string;
  /** Plain JSON: archived as one line, and decoded. */
  readonly record: unknown;
}

/** How sessions are found and decoded. Reading is pure: the same records and state give the same events. */
export interface Reader {
  /** Every source now below `home`. An unreadable folder or file is told to `problem` and left out. Reads heads at most. */
  discover(machine: Machine, home: string, problem: Problem): Iterable<Source>;
  /** The source a single native file belongs to; `undefined` when it is not this tool's. */
  sourceAt(machine: Machine, path: string, problem: Problem): Source | undefined;
  /** Every source of one file that holds several, wherever a copy of it lies. Absent: a file belongs to one ({@link sourceAt}). */
  sourcesIn?(machine: Machine, path: string, problem: Problem): readonly Source[];
  /**
   * What a file captured earlier is, by the session's native id, the file's key and the path it had: so is what we keep of
   * it decoded again when the tool has deleted it. Pure; `undefined` when it is none of this tool's.
   */
  fileOf(nativeId: string, key: string, path: string): Pick<SourceFile, 'kind' | 'agentId'> | undefined;
  /**
   * The rows of a `database` file in reading order, as they are at one moment. `stampOf` tells the stamp a row had when it was
   * read last: one that has it still may be left out. Throws `unreadable`.
   */
  load?(machine: Machine, file: SourceFile, stampOf: (key: string) => string | undefined): readonly LoadedRow[];
  /** Lines that start so are kept in `native/` and never parsed (bulk the tool writes for itself). */
  readonly opaque: readonly string[];
  /** The state before the first record of a file: plain JSON, at most 64 KB, also later. */
  start(file: FileContext): DecoderState;
  /**
   * Decodes one record and says what it was. Never throws on any value. May change `state` in place; everything it
   * knows of earlier records is in `state` or asked of `given.lookup`, so reading in two pieces equals reading at once.
   */
  decode(record: unknown, state: DecoderState, given: Given): Disposition;
  /** The source is quiet (its end is reached): tells what was held back, above all the live view's leaf. */
  settle(state: DecoderState, given: Given): void;
  /**
   * Is the conversation in this file, by the state after its last record? Absent: in each. A session whose only files there
   * are hold none of it counts as deleted by its tool.
   */
  holds?(file: SourceFile, state: DecoderState): boolean;
}

/** Told about something unreadable while looking for sources: the path and why. */
export type Problem = (path: string, why: string) => void;

/** Plain JSON, changed in place by the decoder. */
export interface DecoderState {
  [key: string]: Json | undefined;
}

/** Which file of which session is being decoded. */
export interface FileContext {
  readonly nativeId: string;
  readonly key: string;
  readonly kind: 'log' | 'document';
  readonly agentId: string | undefined;
}

/** What a decoder is handed with each record. */
export interface Given {
  readonly file: FileContext;
  readonly sink: Sink;
  readonly lookup: Lookup;
  /** ISO 8601 time of the file, for records without one before any that has. */
  readonly fallbackTime: string;
}

/** Where decoded events go. A message whose id is there already is compared: the same is dropped, another is a revision. */
export interface Sink {
  message(message: Message): void;
  /** Tokens of a response that become known when its messages are told already. Counted once a response. */
  usage(stated: ResponseUsage): void;
  live(op: LiveOp): void;
  /** What was told of the session so far, up to message `id`, its tool copied from the one it goes on from: it is not its own part. */
  copied(id: string): void;
  fact(facts: SessionFacts): void;
  /** Remembers that native key `key` (an id of a record that is no message of its own) stands for message `id`. */
  key(key: string, id: string): void;
  /** Counts something that does not survive, by name. `unknown:<type>` is for records nobody has described yet. */
  loss(name: string): void;
}

/** What was captured earlier of this session, in this file or another. */
export interface Lookup {
  /** The message id a key stands for. */
  id(key: string): string | undefined;
  /** Is there a message with this id? */
  has(id: string): boolean;
  /** The message with this id (newest revision). Slow: reads the session. */
  message(id: string): Message | undefined;
}

/**
 * What a record was to us. Every record of a source is one of these; `unknown` alone is unaccounted for.
 * - `message`: said something new.
 * - `duplicate`: says again what another record says.
 * - `fact`: title, model, version, usage and the like.
 * - `state`: the tool's own bookkeeping, known and not ours to carry.
 */
export type Disposition = 'message' | 'duplicate' | 'fact' | 'state' | 'unknown';

/** How a session is given to the tool. */
export interface Writer {
  /** Oldest version that loads what `write` makes; older ones are refused. */
  readonly minimumVersion: string;
  /** Newest version the client matrix has run, or, of a program it cannot get, whose files were seen; newer ones get a line of notice. */
  readonly provenVersion: string;
  /** What is never in its files, for want of a place or because the tool states its own. No loss is counted for it. */
  readonly omits: readonly Omitted[];
  /** Looks at what writing depends on: folders, active provider, the tool's own version. Changes nothing. */
  prepare(machine: Machine, request: WriteRequest): Promise<WriteGiven>;
  /** Pure. Yields the native files line by line; losses are counted while they are read. */
  write(session: LiveSession, given: WriteGiven): Written;
  /**
   * Where the archived files of one of this tool's own sessions go when restored byte for byte: path relative to the
   * home by file key; a key that is left out is not restored. `undefined`: cannot be restored (use `write`).
   */
  restore(
    files: readonly { readonly key: string; readonly path: string }[],
    given: WriteGiven,
  ): ReadonlyMap<string, string> | undefined;
  /** Makes the tool list the session (an index row, the vendor's own command). Absent: a file is enough. */
  register?(machine: Machine, placed: Placed, given: WriteGiven): Promise<Registration>;
  /** Can the tool go on with this session of its own, by its id, from where its source lies? Absent: with each. One it cannot goes on as a child. */
  opens?(nativeId: string, path: string): boolean;
  /** Is a process of the tool on this session right now? */
  live(machine: Machine, home: string, nativeId: string): boolean;
  /** The argv a person would type next, to be run in `cwd`. */
  launch(nativeId: string, request: { readonly cwd: string; readonly model: string | undefined }): readonly string[];
}

/** What a session holds beside what was said, of which a writer may write nothing. */
export type Omitted = 'model' | 'tokens' | 'exit-code' | 'duration' | 'interruption' | 'title' | 'git';

/** What is asked of a writer. */
export interface WriteRequest {
  /** Absolute. */
  readonly home: string;
  /** The workspace on this machine, real path. */
  readonly cwd: string;
  /** The installed version; `undefined` when the tool is not installed (then the proven one is assumed). */
  readonly version: string | undefined;
  /** Set when restoring: the id to keep. */
  readonly nativeId: string | undefined;
}

/** What `prepare` found; each adapter extends it with what it needs. `home` is where the files go below, also of a tool with several. */
export interface WriteGiven extends WriteRequest {
  /** The native id the session gets. */
  readonly nativeId: string;
  /** ISO 8601: now. */
  readonly now: string;
  /** Version to state in the files. */
  readonly toolVersion: string;
  readonly extra: { readonly [key: string]: Json | undefined };
}

/** The session as the target's model is to see it. */
export interface LiveSession {
  readonly sessionId: string;
  /**
   * Adapter id, name and native id it comes from: the provenance mark. `captured`: all of it was read here from that tool's own
   * files, so what the tool alone makes (signatures, ids of its requests) may be given back to it; what a resume placed, or what
   * came from elsewhere, may be anybody's.
   */
  readonly origin: {
    readonly tool: string;
    readonly name: string;
    readonly nativeId: string | undefined;
    readonly captured?: true;
  };
  readonly title: string | undefined;
  readonly git: GitContext | undefined;
  /** The live view in order; can be read more than once. */
  readonly messages: Iterable<Message>;
}

/** What a writer makes. */
export interface Written {
  readonly nativeId: string;
  readonly files: readonly WrittenFile[];
  /** Counted while the lines are read; complete afterwards. */
  readonly losses: Losses;
}

/** One native file to place. */
export interface WrittenFile {
  /** The key capture knows it by. */
  readonly key: string;
  /** Relative to `home`, `/` between parts. */
  readonly path: string;
  /** `lines`: JSON lines. `exists: 'keep'` leaves a file that is there (a marker). */
  readonly lines: Iterable<WrittenLine>;
  readonly exists?: 'keep';
  /**
   * `text`: the lines are joined as they are, without a newline after each. `database`: a SQLite database is made of the rows
   * that stand at the lines; the lines are what `reader.load` will tell of it.
   */
  readonly kind?: 'text' | 'database';
  /** Of a `database`: the statements that make its tables. */
  readonly schema?: string;
}

/** One line without its newline, and the message it was made from (for lineage). */
export interface WrittenLine {
  readonly text: string;
  /** What `JSON.parse` gives for `text`, where the writer has it at hand: a large session is placed sooner. */
  readonly record?: JsonObject;
  readonly from?: string;
  /** Where it was made from several: the others, in the order the reader tells them. */
  readonly also?: readonly string[];
  /** In a `database`: the row that `reader.load` tells with this line, and what to put into the tables. */
  readonly row?: Pick<LoadedRow, 'key' | 'stamp'> & { readonly puts: readonly Put[] };
}

/** A row to put into a table, its values in the order of the columns. One whose key is there already is left out. */
export interface Put {
  readonly table: string;
  readonly values: readonly (string | number | Uint8Array | null)[];
}

/** Losses by name. */
export type Losses = Map<string, number>;

/** How a session is handed to a program of the tool that only takes files in by a command of its own. */
export interface Exchange {
  /** Of the file's name, without the dot. */
  readonly ending: string;
  /** Pure. The file is checked before its first piece is handed out; throws `failed` when it does not hold together. */
  write(session: LiveSession, given: Pick<WriteGiven, 'nativeId' | 'cwd' | 'now'>): Exchanged;
  /** What a person does with the file, a sentence each; both paths are absolute. */
  steps(path: string, cwd: string): readonly string[];
  /** Is that program here? Then it is named where the one that `writer` writes for is not. */
  suits(machine: Machine, home: string): boolean;
}

/** A file to hand over. */
export interface Exchanged {
  /** Its text. */
  readonly pieces: Iterable<string>;
  readonly losses: Losses;
}

/** What was placed, absolute paths. */
export interface Placed {
  readonly nativeId: string;
  readonly title: string | undefined;
  readonly files: readonly { readonly key: string; readonly path: string }[];
}

/** Did the tool take it into its list? */
export type Registration =
  | { readonly listed: true; readonly how: string }
  | { readonly listed: false; readonly why: string; readonly hint?: string };
