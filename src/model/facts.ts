/** What is known of a session besides its messages, told piece by piece. */

import { fileRoles } from './manifest.ts';
import type { FileRole, GitContext, Tools } from './manifest.ts';

/** A file that calls touched, absolute or relative to the workspace. */
export interface TouchedFile {
  readonly path: string;
  readonly role: FileRole;
}

/** What is known of a session besides its messages. Later facts win over earlier, field by field. */
export interface SessionFacts {
  /** A person's title wins over a model's; within one kind the newest. `null` takes a person's title back. */
  readonly title?: { readonly text: string | null; readonly by: 'person' | 'model' };
  readonly toolVersion?: string;
  /** `cli`, `vscode`, `exec`, … */
  readonly interface?: string;
  /** Absolute path of the workspace. */
  readonly cwd?: string;
  readonly git?: GitContext;
  readonly reasoningEffort?: 'low' | 'medium' | 'high';
  /** ISO 8601; used where no message has a time. */
  readonly createdAt?: string;
  /**
   * The session this one was forked from in the tool itself, and the last message they share (our id); or the one of another
   * `tool` (adapter id) that the tool took it in from.
   */
  readonly parent?: { readonly tool?: string; readonly nativeId: string; readonly msg?: string };
  readonly tools?: Tools;
  /** Which call (`tool_use_id`) started which sub-agent. */
  readonly agentCalls?: { readonly [agentId: string]: string };
  /** Files the session touched, absolute or relative to `cwd`. */
  readonly files?: readonly TouchedFile[];
}

/** Later facts over earlier, field by field; a person's title is not replaced by a model's; files and calls add up. */
export function mergeFacts(earlier: SessionFacts, later: SessionFacts): SessionFacts {
  const merged = { ...earlier, ...later };
  const title = mergeTitle(earlier.title, later.title);
  if (title !== undefined) merged.title = title;
  if (earlier.git !== undefined && later.git !== undefined) merged.git = { ...earlier.git, ...later.git };
  if (earlier.agentCalls !== undefined) merged.agentCalls = { ...earlier.agentCalls, ...later.agentCalls };
  if (earlier.tools !== undefined && later.tools !== undefined) merged.tools = { ...earlier.tools, ...later.tools };
  if (earlier.files !== undefined && later.files !== undefined) {
    const files = new Map(earlier.files.map((file) => [file.path, file]));
    for (const file of later.files) addFile(files, file);
    merged.files = [...files.values()];
  }
  return merged;
}

function mergeTitle(earlier: SessionFacts['title'], later: SessionFacts['title']): SessionFacts['title'] {
  if (later === undefined) return earlier;
  if (earlier?.by === 'person' && earlier.text !== null && later.by === 'model') return earlier;
  return later;
}

/** Takes in one touched file; of two roles the weightier stays (a file that was created and then read is created). */
export function addFile(files: Map<string, TouchedFile>, file: TouchedFile): void {
  const known = files.get(file.path);
  if (known === undefined || fileRoles.indexOf(file.role) > fileRoles.indexOf(known.role)) files.set(file.path, file);
}
