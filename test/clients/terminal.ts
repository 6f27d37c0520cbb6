/** A terminal for interactive CLIs: one tmux session on a socket of its own. */

import { runProgram, type Surroundings } from './run-program.ts';
import { until } from './until.ts';

/** Columns and rows: wide enough that titles and prompts stay on one line. */
const size = { columns: 160, rows: 50 };

/** An open terminal. */
export type Terminal = {
  /** The visible screen as text. */
  readonly screen: () => Promise<string>;
  /** The screen with everything that scrolled off it. */
  readonly transcript: () => Promise<string>;
  /** Types text literally. */
  readonly type: (text: string) => Promise<void>;
  /** Presses a key by its tmux name, e.g. `Enter`, `Escape`. */
  readonly press: (key: string) => Promise<void>;
  /** Waits until the visible screen matches; throws with the screen after `timeoutMs`. */
  readonly shows: (what: string, pattern: RegExp, timeoutMs: number) => Promise<string>;
  /** Waits until the visible screen does not match. */
  readonly hides: (what: string, pattern: RegExp, timeoutMs: number) => Promise<string>;
  /** Waits until the program has ended by itself. */
  readonly ended: (timeoutMs: number) => Promise<void>;
  /** Ends the terminal and what runs in it. */
  readonly close: () => Promise<void>;
};

/** Opens `argv` in a terminal. `socket` is the name for `tmux -L`; `TMUX_TMPDIR` of `env` says where the socket lies. */
export async function openTerminal(
  socket: string,
  argv: readonly string[],
  { env, cwd }: Surroundings,
): Promise<Terminal> {
  const tmux = async (...words: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await runProgram(['tmux', '-L', socket, '-f', '/dev/null', ...words], {
      env,
      cwd,
    });
    if (status !== 0) throw new Error(`tmux ${words[0] ?? ''} failed: ${stderr.trim()}`);
    return stdout;
  };
  const scrubbed = ['env', '-i', ...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...argv];
  const { columns, rows } = size;
  const started = ['new-session', '-d', '-s', 'cli', '-x', String(columns), '-y', String(rows), shellWords(scrubbed)];
  await tmux(
    'set-option',
    '-g',
    'remain-on-exit',
    'on',
    ';',
    'set-option',
    '-g',
    'history-limit',
    '20000',
    ';',
    ...started,
  );

  const screen = () => tmux('capture-pane', '-p', '-t', 'cli');
  const shown = (what: string, wanted: (text: string) => boolean, timeoutMs: number) => {
    let last = '';
    const look = async () => {
      last = await screen();
      return wanted(last) ? last : undefined;
    };
    return until(what, look, timeoutMs, () => `; the screen shows:\n${last.trimEnd()}`);
  };
  return {
    screen,
    transcript: () => tmux('capture-pane', '-p', '-S', '-', '-t', 'cli'),
    type: async (text) => void (await tmux('send-keys', '-t', 'cli', '-l', text)),
    press: async (key) => void (await tmux('send-keys', '-t', 'cli', key)),
    shows: (what, pattern, timeoutMs) => shown(what, (text) => pattern.test(text), timeoutMs),
    hides: (what, pattern, timeoutMs) => shown(what, (text) => !pattern.test(text), timeoutMs),
    ended: async (timeoutMs) => {
      const dead = async () =>
        (await tmux('display-message', '-p', '-t', 'cli', '#{pane_dead}')).trim() === '1' ? true : undefined;
      await until(`${argv[0] ?? ''} to end`, dead, timeoutMs);
    },
    close: async () => void (await tmux('kill-server')),
  };
}

/** Quotes words for the shell that tmux starts. */
function shellWords(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}
