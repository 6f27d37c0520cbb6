/**
 * Transcripts that Cursor writes of its chats, by project: `projects/<slug>/agent-transcripts/<chat>/<chat>.jsonl`, those of
 * sub-agents in `subagents/` below it, older ones `agent-transcripts/<chat>.jsonl`. They outlive a lost database.
 */

import type { Machine } from '../../io/machine.ts';
import type { Source, SourceFile } from '../adapter.ts';

/** Every chat there is a transcript of; its folder is the one of `folders` whose slug the project has. */
export function* transcriptsIn(machine: Machine, dotFolder: string, folders: readonly string[]): Iterable<Source> {
  const bySlug = new Map(folders.map((folder) => [slugOf(folder), folder]));
  for (const project of machine.list(`${dotFolder}/projects`)) {
    const cwd = bySlug.get(project.name);
    const place = `${dotFolder}/projects/${project.name}/agent-transcripts`;
    for (const { name, kind } of project.kind === 'directory' ? machine.list(place) : []) {
      const path = kind === 'directory' ? `${place}/${name}/${name}.jsonl` : `${place}/${name}`;
      const source = machine.stat(path)?.kind === 'file' ? transcriptAt(machine, path) : undefined;
      if (source !== undefined) yield { ...source, ...(cwd === undefined ? {} : { facts: { cwd } }) };
    }
  }
}

/** The chat whose transcript this file is; `undefined` when it is none. */
export function transcriptAt(machine: Machine, path: string): Source | undefined {
  const nativeId = /\/agent-transcripts\/(?:[^/]+\/)?([^/]+)\.jsonl$/.exec(path)?.[1];
  if (nativeId === undefined) return undefined;
  const folder = path.endsWith(`/${nativeId}/${nativeId}.jsonl`) ? path.slice(0, path.lastIndexOf('/')) : undefined;
  const below = folder === undefined ? [] : machine.list(`${folder}/subagents`);
  const agents = below.flatMap(({ name }): SourceFile[] => {
    const agentId = /^([\w-]+)\.jsonl$/.exec(name)?.[1];
    if (agentId === undefined) return [];
    return [{ key: `transcript-${agentId}`, path: `${folder}/subagents/${name}`, kind: 'log', agentId }];
  });
  return { nativeId, files: [{ key: 'transcript', path, kind: 'log' }, ...agents] };
}

/** What an archived transcript is, by its key. */
export function transcriptOf(key: string): Pick<SourceFile, 'kind' | 'agentId'> | undefined {
  if (key === 'transcript') return { kind: 'log' };
  return key.startsWith('transcript-') ? { kind: 'log', agentId: key.slice('transcript-'.length) } : undefined;
}

/** A path as Cursor (3.x) makes a folder's name of it. It cannot be undone: `a-b` and `a/b` are the same. */
function slugOf(path: string): string {
  return path.replaceAll(/[^A-Za-z0-9]+/g, '-').replaceAll(/^-|-$/g, '');
}
