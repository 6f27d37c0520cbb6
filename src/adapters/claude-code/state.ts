/** What the reader remembers between records: plain JSON of bounded size. `''` stands for "above the first message". */

import type { DecoderState, FileContext } from '../adapter.ts';

/** How many recent rows can be linked to without asking the store. */
export const recentLimit = 128;
/** How many rows and calls of one response are remembered. */
export const batchLimit = 64;
/** How many calls that touch files may be open at once. */
export const openFilesLimit = 16;
/** How many rows of the main line a broken link may be mended by. */
export const mainRowsLimit = 32;
/** How many rows of inline sub-agents are remembered. */
export const inlineLimit = 64;

/** The reader's state for one file. */
export interface ReadState {
  /** Time of the newest row, ISO 8601; `''` before any. */
  at: string;
  /** Native row id → the message that what hangs on the row hangs on. Holds the newest {@link recentLimit} rows. */
  points: { [uuid: string]: string };
  /** Row id → the message before its message, for the same rows that have one of their own id. */
  above: { [uuid: string]: string };
  /** The ids in `points`, oldest at `next`. */
  ring: string[];
  next: number;
  /** The main line's newest row: the message it stands for, and whether any was seen. */
  last: string;
  hasLast: boolean;
  /** The main line's newest rows and their times, in file order. */
  mainRows: { uuid: string; at: string }[];
  /** The tool's own note of where the conversation stands. */
  checkpoint: Checkpoint | null;
  /** The conversation was rewound to before its first prompt. */
  cleared: boolean;
  /** The leaf last told; `undefined` before any. `null`: nothing. */
  told?: string | null;
  /** The response being read, and the one before it. */
  batches: Batch[];
  /** The turn's id, from the newest prompt. */
  turn: string;
  /** What hangs above the newest prompt of the main line: where a rewind went back to. */
  abovePrompt: string;
  /** A compaction whose summary has not come yet. */
  compaction: { boundary: string; kept: string[] } | null;
  /** Messages a compaction kept, and the summary that what hangs on their copies hangs on. */
  kept: { under: string; uuids: string[] } | null;
  /** The newest prompt may be a command that runs on this machine only. */
  localCommand: boolean;
  /** Calls that touch a file, waiting for their result. */
  openFiles: OpenFile[];
  /** Files told lately. */
  files: string[];
  /** Calls that start a sub-agent, for sub-agents inside the main file (up to 1.x). */
  tasks: { call: string; prompt: string }[];
  /** Row id → sub-agent, for the same. */
  inline: [string, string][];
  /** Names of sessions, by the row they name, that may turn out to be ours. */
  summaries: { leaf: string; text: string }[];
  /** The session this one was copied from. */
  fork: { nativeId: string; msg: string; told: boolean } | null;
  /** Facts told so far, so that each is told once. */
  facts: {
    cwd: string;
    version: string;
    branch: string;
    entry: string;
    effort: string;
    person: string | null;
    model: string;
  };
}

/** A `last-prompt` record's leaf. */
export interface Checkpoint {
  uuid: string;
  /** A person went back to it. */
  explicit: boolean;
  /** Its message; absent until its row was read. */
  point?: string;
  /** The newest message that stems from it. */
  newest: string;
}

/** One model response with the results of its calls. Whatever hangs on a member hangs on the tail. */
export interface Batch {
  response: string;
  /** Row ids. */
  members: string[];
  /** Ids of its calls. */
  calls: string[];
  /** The last message of it so far. */
  tail: string;
  /** The usage stated, as text. */
  usage: string;
  side: boolean;
}

/** A call that touches a file. */
export interface OpenFile {
  call: string;
  path: string;
  role: 'read' | 'edited' | 'written' | 'deleted';
}

/** The state before a file's first record. */
export function startState(_file: FileContext): DecoderState {
  const state: ReadState = {
    at: '',
    points: {},
    above: {},
    ring: [],
    next: 0,
    last: '',
    hasLast: false,
    mainRows: [],
    checkpoint: null,
    cleared: false,
    batches: [],
    turn: '',
    abovePrompt: '',
    compaction: null,
    kept: null,
    localCommand: false,
    openFiles: [],
    files: [],
    tasks: [],
    inline: [],
    summaries: [],
    fork: null,
    facts: { cwd: '', version: '', branch: '', entry: '', effort: '', person: '', model: '' },
  };
  return state as unknown as DecoderState;
}

/** The typed view. States are made by {@link startState} and only ever pass through JSON, which the checker cannot see. */
export function typed(state: DecoderState): ReadState {
  return state as unknown as ReadState;
}

/** Appends and drops the oldest beyond the limit. */
export function pushBounded<T>(list: T[], item: T, limit: number): void {
  list.push(item);
  if (list.length > limit) list.shift();
}
