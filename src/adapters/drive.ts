/**
 * How the client matrix (`test/clients`) operates one vendor's real CLI. Every adapter folder whose tool can be
 * installed from npm has a `drive.ts` that exports one of these as `drive`. Never bundled; data and pure functions only:
 * the harness owns the files, the processes and the terminal.
 */
export type Drive = {
  /** The npm package that brings the CLI; its versions stand in `test/clients/versions.json`. */
  readonly npmPackage: string;

  /** What a person types to start it, and the first word of every `command` that `sfs resume` prints for it. */
  readonly program: string;

  /**
   * Where the executable may be, relative to the folder that holds `node_modules`: versions differ, the first that is
   * there counts. A `.js` file is run with the harness's Node.
   */
  readonly executables: (os: NodeJS.Platform, arch: string) => readonly string[];

  /** The wire protocol it speaks to its model: a module of `test/clients/model-server`. */
  readonly protocol: 'anthropic-messages' | 'openai-responses' | 'gemini-generate';

  /** Files of a scratch home (path below HOME → text) that silence first-run dialogs, updates and telemetry. */
  readonly seed: (scratch: Scratch) => Readonly<Record<string, string>>;

  /** Variables on top of HOME, PATH, TERM, LANG, TZ, SHELL and TMPDIR: dummy keys, the model server's address. */
  readonly environment: (scratch: Scratch) => Readonly<Record<string, string>>;

  /** argv that starts a new interactive session which asks for no permission. */
  readonly interactive: readonly string[];

  /** argv a person types to resume a session of this tool. */
  readonly resume: (nativeId: string) => readonly string[];

  /** Makes one headless turn of a `resume` argv (this tool's own or the one `sfs resume` printed). */
  readonly headless: (resume: readonly string[], prompt: Prompt) => Invocation;

  /**
   * Set where the tool names what it writes by the minute, so that two starts within one minute hide what usually
   * happens: the harness lets a new minute begin before it resumes a session again.
   */
  readonly resumesByTheMinute?: true;

  /** Set where the tool can be told to keep outputs of any size (`Scratch.keepsOutputs`). */
  readonly canKeepOutputs?: true;

  /** Set where the tool's files have no room for the mark that an answer was interrupted. */
  readonly forgetsInterruption?: true;

  /** What the terminal shows, and which keys it takes. */
  readonly screen: Screen;

  /** How the tool itself lists the sessions of the current folder. */
  readonly listing: Listing;

  /** How the tool itself tells what a session of its own holds, where it can be asked without a screen. */
  readonly account?: Account;

  /** How the tool takes in sessions of another one by itself: by calls to the program of `account`. */
  readonly takesIn?: Importer;

  /**
   * Spells a scripted call in the tool's own vocabulary, by what it offers its model: versions differ. `undefined`: it has
   * no such call; the script goes on without.
   */
  readonly call: (call: ScriptCall, scratch: Scratch, turn: ScriptTurn) => WireCall | undefined;

  /**
   * What remains of a message text when everything that the tool adds by itself, and does not store as said, has been
   * cut; may be empty.
   */
  readonly spoken: (text: string) => string;

  /** What stands in a result where the tool has cut it before it sends it, by a limit of its own. */
  readonly cut?: RegExp;

  /** Recognises a request that is not a turn of a conversation, and answers it. `undefined`: an ordinary turn. */
  readonly aside: (request: unknown) => Aside | undefined;

  /** The native id of the session a file (path below HOME) belongs to. `undefined`: not a session file. */
  readonly sessionOf: (path: string, text: string) => string | undefined;

  /** Which files (paths below HOME) belong in recorded fixtures, and which of their keys hold the vendor's own prompts. */
  readonly fixture: { readonly keep: RegExp; readonly vendorKeys: readonly string[] };
};

/** Where one scripted run of the tool takes place. All paths are absolute, without symbolic links. */
export type Scratch = {
  readonly home: string;
  readonly project: string;
  /** The model server, e.g. `http://127.0.0.1:40123/3/codex`: no trailing slash, the protocol's path is appended. */
  readonly modelUrl: string;
  /** An MCP server that this tool has, by name; the other tools of the place do not. */
  readonly mcp?: { readonly name: string; readonly argv: readonly [string, ...string[]] };
  /** The tool is set to keep outputs of any size. */
  readonly keepsOutputs?: true;
};

/** A prompt of a headless turn. `image` is a PNG file that goes with it. */
export type Prompt = { readonly text: string; readonly image?: PromptImage };

/** A PNG: its absolute path, and its bytes for tools that take them inline. */
export type PromptImage = { readonly path: string; readonly base64: string };

/** A process to run: argv with the program's name first, and what it reads from standard input. */
export type Invocation = { readonly argv: readonly string[]; readonly stdin?: string };

/** Patterns are matched against the visible screen, key names are tmux's. */
export type Screen = {
  /** Ready for input, e.g. the placeholder of the input box. */
  readonly ready: RegExp;
  /** Visible as long as a turn runs. */
  readonly busy: RegExp;
  /** Command that compacts the conversation now, and what the screen shows when that is done. */
  readonly compact: { readonly command: string; readonly done: RegExp };
  /** Key that interrupts a running tool call, and what the screen shows after. */
  readonly interrupt: { readonly key: string; readonly done: RegExp };
  /** Command that saves the conversation under the name that is put behind it, and what the screen shows then. */
  readonly snapshot?: { readonly command: string; readonly done: RegExp };
  /** Command that leaves. */
  readonly quit: string;
};

/** `print`: lists on standard output. `screen`: opens a picker in a terminal, left with `leave`. */
export type Listing =
  | { readonly by: 'print'; readonly argv: readonly string[] }
  | { readonly by: 'screen'; readonly argv: readonly string[]; readonly leave: string };

/** A program that answers JSON-RPC on its standard output, a line each, and what its answers say of a session. */
export type Account = {
  readonly argv: readonly string[];
  /** The first call of a connection, and the notice that follows its answer. */
  readonly greeting: { readonly method: string; readonly params: unknown; readonly notice: string };
  readonly calls: (nativeId: string) => readonly { readonly method: string; readonly params: unknown }[];
  /** `undefined`: something that comes by itself is not there yet. */
  readonly read: (answers: readonly unknown[], notices: readonly Notice[]) => OwnSession | undefined;
  /** True for a captured call that the tool does not tell of; the adapter's README says which. */
  readonly hides: (call: CapturedCall) => boolean;
  /** Recordings of older versions are refused. */
  readonly oldest: string;
};

/** The tool's own importer of another tool's sessions. */
export type Importer = {
  /** The id of that tool's adapter. */
  readonly from: string;
  readonly find: { readonly method: string; readonly params: unknown };
  /** The call that takes in everything that was found. */
  readonly take: (found: unknown) => { readonly method: string; readonly params: unknown };
  /** The sessions that were made, each with the file it was made of; `undefined` as long as it is not done. */
  readonly taken: (
    notices: readonly Notice[],
  ) => readonly { readonly nativeId: string; readonly path: string }[] | undefined;
};

/** What a program says without being asked. */
export type Notice = { readonly method: unknown; readonly params: unknown };

/** A call as it was captured; `result` is its text, `isLegacy` as in `OwnSession`. */
export type CapturedCall = {
  readonly id: string;
  readonly name: string;
  readonly result: string | undefined;
  readonly isLegacy: boolean;
};

/** A session as its tool tells it. */
export type OwnSession = {
  /** False where it tells only the newest part: what it inherited from another file is left out. */
  readonly isWhole: boolean;
  /** Is it one of an older form, of which the tool tells less? */
  readonly isLegacy: boolean;
  /** Texts in order; `images` is the number of those in prompts. */
  readonly prompts: readonly string[];
  readonly images: number;
  readonly answers: readonly string[];
  /** How often it was compacted. */
  readonly compactions: number;
  /** Ids of calls. */
  readonly calls: readonly string[];
  /** All tokens of the conversation; those read from a cache are part of `input`. */
  readonly tokens: { readonly input: number; readonly output: number } | undefined;
};

/**
 * A tool call of the neutral script. Paths are relative to the project. `delegate` starts a sub-agent, `await` waits
 * for it where starting does not, `report` is how a sub-agent ends where its last text is not enough. `use` is a tool of
 * the MCP server.
 */
export type ScriptCall =
  | { readonly do: 'run'; readonly command: string }
  | { readonly do: 'read'; readonly path: string }
  | { readonly do: 'write'; readonly path: string; readonly lines: readonly string[] }
  | { readonly do: 'edit'; readonly path: string; readonly before: string; readonly after: string }
  | { readonly do: 'look'; readonly path: string }
  | { readonly do: 'delegate'; readonly name: string; readonly task: string }
  | { readonly do: 'await' }
  | { readonly do: 'report'; readonly text: string }
  | { readonly do: 'use'; readonly tool: string; readonly input: Readonly<Record<string, unknown>> };

/**
 * What a scripted call may depend on: the texts of the results that the present turn has seen so far, and the names of the
 * tools that the request offers (`namespace.name` where there is a namespace).
 */
export type ScriptTurn = { readonly results: readonly string[]; readonly offered: ReadonlySet<string> };

/** A call as the tool expects it from its model. A string input is free text (Codex custom tools). */
export type WireCall = {
  readonly name: string;
  readonly namespace?: string;
  readonly input: Readonly<Record<string, unknown>> | string;
};

/** A side request and the text that answers it. */
export type Aside = { readonly about: 'title' | 'compaction' | 'probe'; readonly text: string };
