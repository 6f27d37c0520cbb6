/** What a person sets on a session: its title, its tags, its aliases. Capture leaves all of it alone. */

import { SessionFsError } from '../errors.ts';
import type { Manifest } from '../model/manifest.ts';
import { wrongName, wrongTag, wrongTitle } from '../model/name.ts';
import { nearest } from '../model/near.ts';
import { aliasesIn } from '../store/aliases.ts';
import { note } from '../store/ledger.ts';
import { editManifest } from '../store/registers.ts';
import type { SessionIndex } from '../store/session-index.ts';
import { SessionReader } from '../store/session-reader.ts';
import { sessionFolder } from '../store/store.ts';
import { isInTrash } from '../store/trash.ts';
import { findSession } from './find-session.ts';
import type { ListedSession } from './list.ts';
import { listed } from './list.ts';
import type { Site } from './site.ts';
import { withIndex } from './with-index.ts';

/** One alias: `alias --json`. */
export interface Alias {
  readonly alias: string;
  readonly session_id: string;
}

/** Names a session; neither its tool nor a later import changes the title again. Throws `usage`. */
export async function renameSession(site: Site, argument: string, title: string): Promise<ListedSession> {
  refuse('a title', title, wrongTitle(title), `type one: sfs rename ${argument} 'Fix the gate'`);
  return edit(site, argument, (manifest) => ({
    ...manifest,
    title,
    metadata: { ...manifest.metadata, named: title, title_by: 'person' },
  }));
}

/** Adds tags, or removes those that are there. Throws `usage`. */
export async function tagSession(
  site: Site,
  argument: string,
  change: { readonly add?: readonly string[]; readonly remove?: readonly string[] },
): Promise<ListedSession> {
  const { add = [], remove = [] } = change;
  if (add.length + remove.length === 0)
    throw new SessionFsError('usage', 'no tag was named', `type one: sfs tag ${argument} release`);
  for (const tag of add) refuse('a tag', tag, wrongTag(tag), `type another: sfs tag ${argument} release`);
  return edit(site, argument, (manifest) => ({
    ...manifest,
    tags: [...new Set([...(manifest.tags ?? []), ...add])].filter((tag) => !remove.includes(tag)),
  }));
}

/** Gives a session a name that is accepted wherever an id is. Throws `usage`, `already-exists` when it is another's. */
export async function setAlias(site: Site, argument: string, alias: string): Promise<Alias> {
  const isId = alias.startsWith('ses_') ? 'it begins like an id' : undefined;
  refuse('an alias', alias, wrongName(alias) ?? isId, `type another: sfs alias ${argument} gate`);
  return withIndex(site, { create: false }, (index) => {
    const { session_id: id } = findSession(index, argument, site);
    const holder = aliasesIn(site.store).get(alias);
    const isTaken =
      holder !== undefined && holder !== id && (index.get(holder) !== undefined || isInTrash(site.store, holder));
    if (isTaken)
      throw new SessionFsError(
        'already-exists',
        `${alias} is the alias of ${holder}`,
        `choose another, or take it away first: sfs alias remove ${alias}`,
      );
    if (holder !== id) note(site.store, 'aliases', { at: site.machine.now().toISOString(), alias, session_id: id });
    return { alias, session_id: id };
  });
}

/** Every alias, of deleted sessions too. */
export function listAliases(site: Site): Alias[] {
  return [...aliasesIn(site.store)].map(([alias, id]) => ({ alias, session_id: id }));
}

/** Takes an alias away. Throws `alias-not-found`. */
export function removeAlias(site: Site, alias: string): Alias {
  const aliases = aliasesIn(site.store);
  const id = aliases.get(alias);
  if (id === undefined) {
    const near = nearest(alias, aliases.keys());
    throw new SessionFsError(
      'alias-not-found',
      `there is no alias ${JSON.stringify(alias)}`,
      near === undefined ? 'list them: sfs alias list' : `did you mean ${near}? All of them: sfs alias list`,
    );
  }
  note(site.store, 'aliases', { at: site.machine.now().toISOString(), alias, session_id: null });
  return { alias, session_id: id };
}

/** Throws `usage` when there is something wrong with what was typed. */
export function refuse(what: string, text: string, why: string | undefined, hint: string): void {
  if (why !== undefined) throw new SessionFsError('usage', `${JSON.stringify(text)} is not ${what}: ${why}`, hint);
}

async function edit(site: Site, argument: string, change: (manifest: Manifest) => Manifest): Promise<ListedSession> {
  return withIndex(site, { create: false }, (index) => {
    const { session_id: id } = findSession(index, argument, site);
    return editSession(site, index, id, change);
  });
}

/** Changes a session's manifest, on the disk and in the index. */
export function editSession(
  site: Site,
  index: SessionIndex,
  id: string,
  change: (manifest: Manifest) => Manifest,
): ListedSession {
  editManifest(sessionFolder(site.store, id), site.machine, id, change);
  const { manifest, workspace, commit } = SessionReader.open(site.store, id);
  index.put([{ manifest, workspace, commit }], site.machine);
  return listed(site.machine, findSession(index, id, site));
}
