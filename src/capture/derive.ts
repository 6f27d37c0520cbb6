/** The manifest, workspace and tools of a session, made from what was gathered. */

import { isAbsolute, relative } from 'node:path';
import type { SessionFacts } from '../adapters/adapter.ts';
import type { Base, Manifest, ManifestMetadata, Tools, Workspace } from '../model/manifest.ts';
import { sfsVersion } from '../model/manifest.ts';
import type { Tally } from '../model/tally.ts';
import { statsOf } from '../model/tally.ts';
import { tidyTitle } from '../model/title.ts';
import { version } from '../version.ts';

/** What the derived files are made from. */
export interface Ingredients {
  readonly sessionId: string;
  readonly tool: string;
  readonly nativeId: string;
  readonly nativePath: string | undefined;
  readonly facts: SessionFacts;
  readonly tally: Tally;
  readonly promptTitle: string | null;
  readonly losses: ReadonlyMap<string, number>;
  readonly cost: number | null;
  /** ISO 8601; stands in where nothing of the session has a time. */
  readonly fallbackTime: string;
  readonly parent: { readonly session: string; readonly msg: string | null } | undefined;
  /** A resume or a fork made it: it is as old as that. */
  readonly isPlaced: boolean;
  /** What is there already: the user's registers stay. */
  readonly before: Manifest | undefined;
}

/** `manifest.json`. */
export function deriveManifest(from: Ingredients): Manifest {
  const { facts, tally, before } = from;
  const title = deriveTitle(from);
  const created =
    from.isPlaced && before?.parent_session_id != null
      ? before.created_at
      : (tally.firstAt ?? facts.createdAt ?? before?.created_at ?? from.fallbackTime);
  const updated = tally.lastAt ?? before?.updated_at ?? created;
  const base: Base | undefined = from.parent ?? before?.metadata?.base;
  const metadata: ManifestMetadata = {
    ...before?.metadata,
    ...(base === undefined ? {} : { base }),
    ...(title === undefined ? {} : { title_by: title.by }),
    ...(from.losses.size === 0 ? {} : { losses: Object.fromEntries(from.losses) }),
    ...(Object.keys(tally.models).length === 0 ? {} : { usage: tally.models }),
    ...(facts.agentCalls === undefined ? {} : { agent_calls: facts.agentCalls }),
  };
  return {
    sfs_version: sfsVersion,
    session_id: from.sessionId,
    title: title?.text ?? null,
    tags: before?.tags ?? [],
    created_at: created,
    updated_at: updated < created ? created : updated,
    source: {
      tool: from.tool,
      tool_version: facts.toolVersion ?? null,
      sfs_converter_version: version,
      original_session_id: from.nativeId,
      original_path: from.nativePath ?? null,
      interface: facts.interface ?? null,
    },
    model: deriveModel(facts, tally) ?? null,
    ...(before?.ownership === undefined ? {} : { ownership: before.ownership }),
    stats: statsOf(tally, from.cost),
    parent_session_id: from.parent?.session ?? before?.parent_session_id ?? null,
    checkpoint_count: before?.checkpoint_count ?? 0,
    sub_agents: Object.entries(tally.agents).map(([id, agent]) => ({
      agent_id: id,
      model: agent.model,
      message_count: agent.messages,
    })),
    metadata,
  };
}

/** `workspace.json`; `undefined` when the source never said where it ran. */
export function deriveWorkspace(facts: SessionFacts): Workspace | undefined {
  const root = facts.cwd;
  if (root === undefined || root === '') return undefined;
  const files = (facts.files ?? []).flatMap(({ path, role }) => {
    const inside = isAbsolute(path) ? relative(root, path) : path;
    return inside === '' || inside.startsWith('..') || isAbsolute(inside)
      ? []
      : [{ path: inside.replaceAll('\\', '/'), role }];
  });
  return { root_path: root, ...(facts.git === undefined ? {} : { git: facts.git }), files };
}

/** Do these facts make the `workspace.json` that those made? */
export function isSameWorkspace(facts: SessionFacts, before: SessionFacts): boolean {
  return (
    facts.files === before.files && facts.cwd === before.cwd && JSON.stringify(facts.git) === JSON.stringify(before.git)
  );
}

/** `tools.json`; `undefined` when no tool was called and none is known. */
export function deriveTools(facts: SessionFacts, tally: Tally): Tools | undefined {
  if (facts.tools === undefined && tally.tools.length === 0) return undefined;
  return { ...facts.tools, tools_used: tally.tools };
}

/** A person's name for it, else the tool's, else what was asked first. A child keeps its parent's name until it has one. */
function deriveTitle(
  from: Ingredients,
): { readonly text: string; readonly by: 'person' | 'model' | 'prompt' } | undefined {
  const named = from.before?.metadata?.named;
  if (named !== undefined) return { text: named, by: 'person' };
  const stated = from.facts.title;
  const text = stated?.text == null ? undefined : tidyTitle(stated.text);
  if (stated !== undefined && text !== undefined) return { text, by: stated.by };
  if (from.promptTitle !== null) return { text: from.promptTitle, by: 'prompt' };
  const before = from.before?.title;
  return before == null ? undefined : { text: before, by: from.before?.metadata?.title_by ?? 'prompt' };
}

function deriveModel(facts: SessionFacts, tally: Tally): NonNullable<Manifest['model']> | undefined {
  if (tally.model === null) return undefined;
  return {
    ...(tally.provider === null ? {} : { provider: tally.provider }),
    model_id: tally.model,
    ...(facts.reasoningEffort === undefined ? {} : { reasoning_effort: facts.reasoningEffort }),
  };
}

/** What a tool may have told outside the files we keep: its name for the session, where it ran, of what it made it. */
export function outsideFactsOf({ title, cwd, parent }: SessionFacts): SessionFacts {
  return {
    ...(title === undefined ? {} : { title }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(parent?.tool === undefined ? {} : { parent }),
  };
}
