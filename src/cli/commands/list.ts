/** `sfs list` */

import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { wholeNumber } from '../flags.ts';

interface Flags {
  readonly tool?: string;
  readonly since?: string;
  readonly tag?: string;
  readonly sort: 'recent' | 'oldest' | 'messages' | 'tokens';
  readonly tree: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly all: boolean;
  readonly minMessages: number;
  readonly limit?: number;
}

const defaultRows = 50;

export const list = buildCommand<Flags, [], CliContext>({
  docs: {
    brief: 'List captured sessions, newest first',
    fullDescription: `A table of the ${defaultRows} newest; --json and --quiet give all of them unless --limit says otherwise. † deleted by the tool, kept here; ↳ goes on from another session. With --tree the limit counts threads.`,
  },
  parameters: {
    flags: {
      tool: { kind: 'parsed', parse: String, brief: 'Only this tool', optional: true },
      since: { kind: 'parsed', parse: String, brief: 'Updated since 7d, 12h, 30m ago or a date', optional: true },
      tag: { kind: 'parsed', parse: String, brief: 'Only with this tag', optional: true },
      sort: { kind: 'enum', values: ['recent', 'oldest', 'messages', 'tokens'], brief: 'Order', default: 'recent' },
      tree: { kind: 'boolean', brief: 'Threads: what goes on from a session below it', default: false },
      json: { kind: 'boolean', brief: 'A JSON array', default: false },
      quiet: { kind: 'boolean', brief: 'Only the ids', default: false },
      all: { kind: 'boolean', brief: 'Every session, empty ones too', default: false },
      minMessages: { kind: 'parsed', parse: wholeNumber, brief: 'Hide sessions with fewer messages', default: '1' },
      limit: { kind: 'parsed', parse: wholeNumber, brief: 'At most so many', optional: true },
    },
    aliases: { q: 'quiet', a: 'all', n: 'limit' },
  },
  async func(flags) {
    const { machine, store, output } = this;
    const { listSessions, listThreads, sinceOf } = await import('../../actions/list.ts');
    const isTable = !flags.json && !flags.quiet;
    const limit = flags.limit ?? (isTable && !flags.all ? defaultRows : undefined);
    const tool =
      flags.tool === undefined
        ? undefined
        : (await import('../../actions/tools.ts')).toolNamed(await this.full(), flags.tool).id;
    const { sessions, more } = await (flags.tree ? listThreads : listSessions)(
      { machine, store },
      {
        sort: flags.sort,
        ...(tool === undefined ? {} : { tool }),
        ...(flags.since === undefined ? {} : { since: sinceOf(flags.since, machine.now()) }),
        ...(flags.tag === undefined ? {} : { tag: flags.tag }),
        ...(flags.all ? {} : { minMessages: flags.minMessages }),
        ...(limit === undefined ? {} : { limit }),
      },
    );
    if (flags.quiet) return sessions.forEach(({ session_id: id }) => output.print(id));
    if (flags.json) return output.print(JSON.stringify(sessions, null, 2));
    if (sessions.length === 0) return output.print('No sessions. Capture what is on this machine: sfs import');
    const { sessionTable } = await import('../render/session-table.ts');
    const lines = sessionTable(sessions, {
      now: machine.now(),
      width: output.columns,
      useColour: output.useColour,
    });
    output.print(lines.join('\n'));
    if (sessions.some(({ ghost }) => ghost)) output.print('\n† deleted by the tool, kept here');
    if (more)
      output.print(
        `\nOnly ${flags.tree ? `${limit} threads` : sessions.length} are shown; all of them: sfs list --all`,
      );
  },
});
