/** What lines tell of the session besides its messages: files, sub-agents, where others may go on from. */

import type { SessionFacts } from '../adapter.ts';
import { isObject, listAt, objectAt, stringAt } from '../../model/json.ts';
import type { Scene } from './state.ts';

/** The key of the leaf as it was before a line, for rewinds and forks that go on from there. */
export function leafKey(fileKey: string, ordinal: number): string {
  return `leaf:${fileKey}:${ordinal}`;
}

/** Tells which call started an agent. */
export function linkAgent(scene: Scene, agent: string | undefined, call: string | undefined): void {
  if (scene.state.inherited || agent === undefined || call === undefined) return;
  scene.given.sink.fact({ agentCalls: { [agent]: call } });
}

/** Facts of the session; a sub-agent's file and an inherited one tell none. */
export function tellFacts(scene: Scene, facts: SessionFacts): void {
  if (scene.given.file.agentId === undefined && !scene.state.inherited) scene.given.sink.fact(facts);
}

/** Tells the files that a patch changed (`changes` by path; a move is a new file and one that is gone). */
export function tellChanges(scene: Scene, holder: Record<string, unknown>): void {
  if (scene.state.inherited || holder['success'] === false || holder['status'] === 'failed') return;
  const files: NonNullable<SessionFacts['files']>[number][] = [];
  for (const [path, change] of Object.entries(objectAt(holder, 'changes') ?? {})) {
    const type = isObject(change) ? (stringAt(change, 'type') ?? Object.keys(change)[0]) : undefined;
    const moved = stringAt(change, 'move_path');
    files.push({
      path,
      role: type === 'add' ? 'created' : type === 'delete' || moved !== undefined ? 'deleted' : 'edited',
    });
    if (moved !== undefined) files.push({ path: moved, role: 'created' });
  }
  if (files.length > 0) scene.given.sink.fact({ files });
}

/** Tells the files a command read, as far as Codex understood it. */
export function tellReads(scene: Scene, commands: Record<string, unknown>): void {
  if (scene.state.inherited) return;
  const files: NonNullable<SessionFacts['files']>[number][] = [];
  for (const command of listAt(commands, 'parsed_cmd')) {
    const path = stringAt(command, 'type') === 'read' ? stringAt(command, 'path') : undefined;
    if (path !== undefined && path !== '') files.push({ path: pathOf(path), role: 'read' });
  }
  if (files.length > 0) scene.given.sink.fact({ files });
}

/** `file:///w/a%20b.txt` as a path; a path as it is. */
export function pathOf(place: string): string {
  if (!place.startsWith('file://')) return place;
  try {
    return decodeURIComponent(place.slice(7));
  } catch {
    // A stray percent sign: the path as it stands.
    return place.slice(7);
  }
}
