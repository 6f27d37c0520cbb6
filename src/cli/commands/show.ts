/** `sfs show` */

import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { sessionParameter, wholeNumber } from '../flags.ts';

interface Flags {
  readonly messages: boolean;
  readonly cost: boolean;
  readonly json: boolean;
  readonly pageSize?: number;
}

export const show = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: 'Show a session',
    fullDescription: 'SESSION is an id, the beginning of one, an alias, a tool’s own id, or @last.',
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [sessionParameter],
    },
    flags: {
      messages: { kind: 'boolean', brief: 'The whole timeline', default: false },
      cost: { kind: 'boolean', brief: 'Tokens and cost by model', default: false },
      json: { kind: 'boolean', brief: 'As JSON', default: false },
      pageSize: { kind: 'parsed', parse: wholeNumber, brief: 'With --messages: only the last so many', optional: true },
    },
    aliases: { m: 'messages', c: 'cost' },
  },
  async func(flags, argument) {
    const { output, machine, store } = this;
    const { openSession, timelineOf, costs } = await import('../../actions/show.ts');
    const { shown, reader } = await openSession({ machine, store }, argument);
    const cost = flags.cost ? await costs(reader.manifest) : undefined;
    const messages = flags.messages ? timelineOf(reader, flags.pageSize) : undefined;
    if (flags.json) {
      const facts = { ...shown, ...(cost === undefined ? {} : { cost }) };
      if (messages === undefined) return output.print(JSON.stringify(facts, null, 2));
      const { jsonWithList } = await import('../render/json.ts');
      for (const text of jsonWithList(facts, 'messages', messages)) this.process.stdout.write(text);
      return;
    }
    const render = await import('../render/session.ts');
    for (const line of render.sessionLines(shown, machine.homeDir)) output.print(line);
    if (cost !== undefined) for (const line of render.costLines(cost, output.columns)) output.print(line);
    if (messages !== undefined)
      for (const message of messages) output.print(render.messageText(message, output.useColour));
  },
});
