/** The command line of the client matrix. */

import { parseArgs } from 'node:util';
import { chatsName, daemonName, fixturesName, type Wanted } from './plan.ts';
import { scenarios } from './scenarios.ts';

/** `npm run test:clients -- [options]`. */
export type Options = Wanted & {
  /** How many source sessions are worked on at a time; most of the time goes by with waiting. */
  readonly jobs: number;
  readonly keep: boolean;
  /** The `sfs` to test. */
  readonly sfs: string | undefined;
  readonly record: string | undefined;
  readonly recordOnly: boolean;
  readonly namespace: boolean;
  /** Set by the run itself when it starts again inside its namespace. */
  readonly inside: boolean;
};

/** What `--help` prints. */
export const usage = `usage: node test/clients/run.ts [options]
  --from a,b         source tools, as the matrix names them: codex, codex@0.148.0 (default: all)
  --to a,b           target tools (default: all)
  --scenario a,b     ${[...scenarios.map(({ name }) => name), daemonName, fixturesName, chatsName].join(', ')} (default: all)
  --current          leave out the older versions
  --jobs N           source sessions worked on at a time (default: 6)
  --keep             keep the scratch folder
  --sfs FILE         the sfs to test (default: bin/sfs.cjs of this repository)
  --record DIR       also write the recorded sessions as scrubbed fixtures
  --record-only      drive the source tools and stop; needs no build of sfs
  --no-namespace     start the CLIs even where no network namespace can be made`;

/** Parses the words after the program's name. Throws on unknown ones; \`undefined\` when help was asked for. */
export function parseOptions(words: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...words],
    options: {
      from: { type: 'string' },
      to: { type: 'string' },
      scenario: { type: 'string' },
      current: { type: 'boolean', default: false },
      jobs: { type: 'string', default: '6' },
      keep: { type: 'boolean', default: false },
      sfs: { type: 'string' },
      record: { type: 'string' },
      'record-only': { type: 'boolean', default: false },
      'no-namespace': { type: 'boolean', default: false },
      'inside-namespace': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    from: list(values.from),
    to: list(values.to),
    scenarios: list(values.scenario),
    current: values.current,
    jobs: positive(values.jobs),
    keep: values.keep,
    sfs: values.sfs,
    record: values.record,
    recordOnly: values['record-only'],
    namespace: !values['no-namespace'],
    inside: values['inside-namespace'],
  };
}

function list(words: string | undefined): readonly string[] | undefined {
  return words?.split(',').map((word) => word.trim());
}

function positive(words: string): number {
  const number = Number(words);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--jobs wants a positive number, not "${words}"`);
  return number;
}
