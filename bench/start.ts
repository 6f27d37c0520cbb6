/** Whole commands from start to end in a large store, beside a Node process that does nothing. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Corpus, CorpusParameters, ToolId } from './corpus.ts';
import { corpusAt } from './corpus.ts';
import type { Figure } from './figure.ts';
import { duration, median, quantile } from './figure.ts';
import type { Options } from './options.ts';
import type { Run } from './process.ts';
import { interleaved, runNode, sfs } from './process.ts';
import { discard, environment, scratchFolder } from './scratch.ts';

const tools = ['claude-code', 'codex', 'gemini-cli'] as const satisfies readonly ToolId[];

/** Measures `list`, `show` and `resume` as people start them. */
export async function startFigures(options: Options): Promise<Figure[]> {
  return [...(await listingFigures(options)), ...(await resumeFigures(options))];
}

async function listingFigures(options: Options): Promise<Figure[]> {
  const { corpus, store } = await largeStore(Math.max(20, Math.round(50_000 * options.scale)), options.progress);
  const env = environment(corpus.homes, store);
  const ids = sessionsOf(await runNode([sfs, 'list', '--json', '--limit', '200'], env));
  let turn = 0;
  options.progress(`start: list and show at ${corpus.sessions} sessions`);
  const times = await interleaved(options.rounds ?? 41, {
    node: () => runNode(['-e', '0'], env),
    list: () => runNode([sfs, 'list'], env),
    show: () => runNode([sfs, 'show', ids[(turn += 1) % ids.length]?.session_id ?? ''], env),
    version: () => runNode([sfs, '--version'], env),
  });
  const all = await interleaved(Math.min(5, options.rounds ?? 5), {
    json: () => runNode([sfs, 'list', '--json', '--all'], env),
  });
  return [
    differenceFigure(`sfs list at ${corpus.sessions} sessions`, times.list, times.node, 15),
    differenceFigure(`sfs show at ${corpus.sessions} sessions`, times.show, times.node, 15),
    differenceFigure('sfs --version', times.version, times.node),
    differenceFigure('sfs list --json --all', all.json, times.node),
  ];
}

/** Sessions of 400 KB, each resumed in every other tool; no vendor's program is there to register anything. */
async function resumeFigures(options: Options): Promise<Figure[]> {
  const corpus = corpusAt(
    {
      seed: 'resume',
      sessions: 12,
      bytes: 12 * 400e3,
      spread: 0,
      brief: false,
      shares: { 'claude-code': 1, codex: 1, 'gemini-cli': 1 },
    },
    options.progress,
  );
  const scratch = scratchFolder('resume');
  try {
    const env = environment(
      { claude: join(scratch, 'claude'), codex: join(scratch, 'codex'), gemini: join(scratch, 'gemini') },
      join(scratch, 'store'),
    );
    // A resume writes into the tool's home, so each run has its own; the sessions come from a corpus that stays as it is.
    for (const home of [env['CLAUDE_CONFIG_DIR'], env['CODEX_HOME'], env['GEMINI_CLI_HOME'], join(scratch, 'work')])
      if (home !== undefined) mkdirSync(home, { recursive: true });
    for (const home of Object.values(corpus.homes)) await runNode([sfs, 'import', String(home)], env);
    const sessions = sessionsOf(await runNode([sfs, 'list', '--json', '--all'], env));
    const figures: Figure[] = [];
    for (const from of tools) {
      const own = sessions.filter(({ tool }) => tool === from);
      for (const to of tools) {
        if (from === to || own.length === 0) continue;
        options.progress(`start: resume ${from} in ${to}`);
        let turn = 0;
        const times = await interleaved(options.rounds ?? 15, {
          node: () => runNode(['-e', '0'], env),
          resume: () =>
            runNode(
              [
                sfs,
                'resume',
                own[(turn += 1) % own.length]?.session_id ?? '',
                '--in',
                to,
                '--project',
                join(scratch, 'work'),
                '--no-launch',
                '--json',
              ],
              env,
            ),
        });
        const { sessions: count, bytes } = corpus.byTool[from];
        figures.push(
          differenceFigure(
            `sfs resume, ${Math.round(bytes / count / 1000)} KB, ${from} → ${to}`,
            times.resume,
            times.node,
            100,
          ),
        );
      }
    }
    return figures;
  } finally {
    discard(scratch);
  }
}

/** A store of many small sessions, made once by importing them and kept as long as stores are written the same way. */
export async function largeStore(
  sessions: number,
  progress: (text: string) => void,
): Promise<{ readonly corpus: Corpus; readonly store: string }> {
  const parameters: CorpusParameters = {
    seed: 'many',
    sessions,
    bytes: 0,
    spread: 0,
    brief: true,
    shares: { 'claude-code': 0.1, codex: 0, 'gemini-cli': 0.9 },
  };
  const corpus = corpusAt(parameters, progress);
  const name = `store-${formatDigest()}`;
  const store = join(corpus.folder, name);
  if (!existsSync(store)) {
    progress(`start: importing ${sessions} sessions once`);
    for (const earlier of readdirSync(corpus.folder).filter((each) => each.startsWith('store-'))) {
      // It takes minutes on a busy disk, and half of a store must not pass for one.
      const old = join(corpus.folder, `${earlier}.old`);
      renameSync(join(corpus.folder, earlier), old);
      discard(old);
    }
    await runNode([sfs, 'import'], environment(corpus.homes, `${store}.unfinished`));
    renameSync(`${store}.unfinished`, store);
  }
  return { corpus, store };
}

/** Changes when stores are laid out otherwise. */
function formatDigest(): string {
  const hash = createHash('sha256');
  for (const path of ['format/layout.ts', 'store/commit.ts'])
    hash.update(readFileSync(new URL(`../src/${path}`, import.meta.url)));
  return hash.digest('hex').slice(0, 12);
}

interface Listed {
  readonly session_id: string;
  readonly tool: string;
}

function sessionsOf({ stdout }: Run): Listed[] {
  // `list --json` is an array of objects with these fields.
  return JSON.parse(stdout) as Listed[];
}

function differenceFigure(name: string, times: readonly number[], floors: readonly number[], goalMs?: number): Figure {
  const [ms, floorMs] = [median(times), median(floors)];
  const difference = ms - floorMs;
  return {
    name,
    value: `${duration(ms)} (p95 ${duration(quantile(times, 0.95))})`,
    floor: `node -e 0: ${duration(floorMs)} (p95 ${duration(quantile(floors, 0.95))})`,
    against: `+ ${duration(difference)}`,
    ...(goalMs === undefined ? {} : { goal: `≤ + ${goalMs} ms`, met: difference <= goalMs }),
    numbers: {
      ms,
      p95Ms: quantile(times, 0.95),
      floorMs,
      floorP95Ms: quantile(floors, 0.95),
      differenceMs: difference,
    },
  };
}
