/** Folders of our own below the system's temporary folder, and an environment that points nowhere else. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the vendors' environment variables are set to. */
export interface Homes {
  /** `CLAUDE_CONFIG_DIR` */
  readonly claude: string;
  /** `CODEX_HOME` */
  readonly codex: string;
  /** `GEMINI_CLI_HOME`; the tool keeps its sessions in `.gemini` below. */
  readonly gemini: string;
}

/** Where what takes long to make is kept from run to run. */
export function cacheFolder(): string {
  const folder = join(tmpdir(), 'sessionfs-bench');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** A new, empty folder. */
export function scratchFolder(name: string): string {
  return mkdtempSync(join(cacheFolder(), `scratch-${name}-`));
}

/** Removes a scratch folder with all below it. */
export function discard(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** The environment of everything the benchmarks start: nothing of this person's, no vendor's program in PATH. */
export function environment(homes: Homes, store: string): Record<string, string> {
  return {
    PATH: join(cacheFolder(), 'no-programs'),
    HOME: join(cacheFolder(), 'no-home'),
    SFS_HOME: store,
    CLAUDE_CONFIG_DIR: homes.claude,
    CODEX_HOME: homes.codex,
    GEMINI_CLI_HOME: homes.gemini,
    TMPDIR: tmpdir(),
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    NO_COLOR: '1',
  };
}
