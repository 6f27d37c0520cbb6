/** `sfs resume` */

import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { sessionParameter, tokenBudget } from '../flags.ts';

interface Flags {
  readonly in?: string;
  readonly project?: string;
  readonly model?: string;
  readonly budget?: number | 'auto';
  readonly launch: boolean;
  readonly json: boolean;
}

export const resumeCommand = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: 'Go on with a session, in its own tool or in another',
    fullDescription:
      'Writes the session so that the tool’s own picker shows it, says what was carried and what was lost, and starts the tool; not on a terminal it prints the command. --budget leaves out the oldest bulk until the conversation fits: large tool outputs to head and tail first, then whole turns, then the oldest steps of the last; never the last prompt, never a call without its result. Tokens are estimated: a quarter of the UTF-8 bytes, 1600 for an image. auto is three quarters of the model’s context window: of --model, else of the session’s own in the same tool, else of the newest session of the other tool.',
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [sessionParameter],
    },
    flags: {
      in: { kind: 'parsed', parse: String, brief: 'The tool to go on in', placeholder: 'tool', optional: true },
      project: { kind: 'parsed', parse: String, brief: 'The folder to work in', placeholder: 'dir', optional: true },
      model: { kind: 'parsed', parse: String, brief: 'The model to start the tool with', optional: true },
      budget: {
        kind: 'parsed',
        parse: tokenBudget,
        brief: 'Fit into so many tokens, or auto',
        placeholder: 'tokens',
        optional: true,
      },
      launch: { kind: 'boolean', brief: 'Start the tool', default: true },
      json: { kind: 'boolean', brief: 'As JSON; starts nothing', default: false },
    },
  },
  async func(flags, argument) {
    const [{ resume }, { askForProject, resumeLines }, { SessionFsError }] = await Promise.all([
      import('../../actions/resume.ts'),
      import('../render/resume.ts'),
      import('../../errors.ts'),
    ]);
    const { output } = this;
    const context = await this.full();
    const request = {
      session: argument,
      ...(flags.in === undefined ? {} : { in: flags.in }),
      ...(flags.project === undefined ? {} : { project: flags.project }),
      ...(flags.model === undefined ? {} : { model: flags.model }),
      ...(flags.budget === undefined ? {} : { budget: flags.budget }),
    };
    const resumed = await resume(context, request).catch(async (cause: unknown) => {
      if (!(cause instanceof SessionFsError) || cause.code !== 'workspace-not-found' || flags.json || !output.canAsk)
        throw cause;
      return resume(context, { ...request, project: await askForProject(cause.message) });
    });
    if (flags.json) return output.print(JSON.stringify(resumed, null, 2));
    const starts = flags.launch && output.canAsk && resumed.installed;
    for (const line of resumeLines(resumed, { starts })) output.print(line);
    if (!starts) return;
    const { launch } = await import('../../actions/launch.ts');
    this.process.exitCode = await launch(resumed);
  },
});
