/** `sfs rename`, `sfs tag`, `sfs alias` */

import { buildCommand, buildRouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { jsonFlag, sessionParameter } from '../flags.ts';
import type { JsonFlag } from '../flags.ts';

export const rename = buildCommand<JsonFlag, [string, string], CliContext>({
  docs: {
    brief: 'Name a session',
    fullDescription: 'The title stays, whatever the tool or a later import says. The tool’s own file is not changed.',
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [sessionParameter, { parse: String, placeholder: 'title', brief: 'One line' }],
    },
    flags: { json: jsonFlag },
  },
  async func({ json }, argument, title) {
    const { renameSession } = await import('../../actions/registers.ts');
    const session = await renameSession(this, argument, title);
    this.output.print(json ? JSON.stringify(session, null, 2) : `${session.session_id} is “${session.title ?? ''}”.`);
  },
});

/** `add` and `remove` are alike. */
function tagCommand(verb: 'add' | 'remove', brief: string) {
  return buildCommand<JsonFlag, [string, ...string[]], CliContext>({
    docs: { brief },
    parameters: {
      positional: {
        kind: 'array',
        parameter: { parse: String, placeholder: 'session tag', brief: 'A session, then one tag or more' },
        minimum: 2,
      },
      flags: { json: jsonFlag },
    },
    async func({ json }, argument, ...tags) {
      const { tagSession } = await import('../../actions/registers.ts');
      const session = await tagSession(this, argument, { [verb]: tags });
      if (json) return this.output.print(JSON.stringify(session, null, 2));
      const { oneLine } = await import('../render/text.ts');
      this.output.print(
        `${session.session_id} ${session.tags.length === 0 ? 'has no tags' : `has the tags ${session.tags.map(oneLine).join(', ')}`}.`,
      );
    },
  });
}

export const tag = buildRouteMap({
  routes: { add: tagCommand('add', 'Add tags'), remove: tagCommand('remove', 'Remove tags') },
  defaultCommand: 'add',
  docs: { brief: 'Tags of a session: sfs tag ID TAG…, sfs tag remove ID TAG…' },
});

const setAliasCommand = buildCommand<JsonFlag, [string, string], CliContext>({
  docs: { brief: 'Give a session a name that is accepted wherever an id is' },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [sessionParameter, { parse: String, placeholder: 'name', brief: 'Letters, digits, "." "_" "-"' }],
    },
    flags: { json: jsonFlag },
  },
  async func({ json }, argument, name) {
    const { setAlias } = await import('../../actions/registers.ts');
    const set = await setAlias(this, argument, name);
    this.output.print(json ? JSON.stringify(set, null, 2) : `${set.alias} is ${set.session_id}.`);
  },
});

const listAliasesCommand = buildCommand<JsonFlag, [], CliContext>({
  docs: { brief: 'List all aliases' },
  parameters: { flags: { json: jsonFlag } },
  async func({ json }) {
    const { listAliases } = await import('../../actions/registers.ts');
    const aliases = listAliases(this);
    if (json) return this.output.print(JSON.stringify(aliases, null, 2));
    if (aliases.length === 0) return this.output.print('No aliases. Give one: sfs alias @last NAME');
    for (const { alias, session_id: id } of aliases) this.output.print(`${alias}  ${id}`);
  },
});

const removeAliasCommand = buildCommand<JsonFlag, [string], CliContext>({
  docs: { brief: 'Take an alias away' },
  parameters: {
    positional: { kind: 'tuple', parameters: [{ parse: String, placeholder: 'name', brief: 'The alias' }] },
    flags: { json: jsonFlag },
  },
  async func({ json }, name) {
    const { removeAlias } = await import('../../actions/registers.ts');
    const removed = removeAlias(this, name);
    this.output.print(json ? JSON.stringify(removed, null, 2) : `${removed.alias} is no alias any more.`);
  },
});

export const alias = buildRouteMap({
  routes: { set: setAliasCommand, list: listAliasesCommand, remove: removeAliasCommand },
  defaultCommand: 'set',
  docs: { brief: 'Names for sessions: sfs alias ID NAME' },
});
