/** The files of a `.sfs` directory. `docs/format.md` is the specification. */

/** Names inside `<session id>.sfs/`. */
export const layout = {
  manifest: 'manifest.json',
  messages: 'messages.jsonl',
  workspace: 'workspace.json',
  tools: 'tools.json',
  /** Live view operations, appended. */
  live: 'meta/live.jsonl',
  /** Which message a native key stands for, appended. */
  keys: 'meta/keys.jsonl',
  /** What is durable: lengths, hashes, cursors. */
  commit: 'meta/commit.json',
  /** Held by the one process that writes. */
  lock: 'meta/lock',
  native: 'native',
  checkpoints: 'checkpoints',
  /** In a checkpoint's folder: where its session stood. */
  checkpoint: 'checkpoint.json',
} as const;

/** How the name of a packed session ends. */
export const archiveName = /\.(tar\.gz|tgz)$/i;

/** The directory name of a session. */
export function directoryName(sessionId: string): string {
  return `${sessionId}.sfs`;
}
