/** Single sessions of 100 MB and 1 GB: time and resident memory of all that goes through a whole session. */

import { existsSync, linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Corpus, ToolId } from './corpus.ts';
import { corpusAt } from './corpus.ts';
import type { Figure } from './figure.ts';
import { duration, median, megabytes } from './figure.ts';
import { floorOf } from './import.ts';
import type { Options } from './options.ts';
import type { WeighedRun } from './process.ts';
import { runNode, sfs, weighNode } from './process.ts';
import { discard, environment, scratchFolder } from './scratch.ts';
import type { Homes } from './scratch.ts';
import { weightFigures } from './weight.ts';

export const tools = ['claude-code', 'codex', 'gemini-cli'] as const satisfies readonly ToolId[];

/** What is measured of a session. */
type Kind = 'many messages' | 'all that can be done' | 'lines of 12 MB';

const goals = { importBytes: 300e6, resumeMs: 1500, resumeBytes: 200e6 };

/** Measures large sessions of every tool. */
export async function largeFigures(options: Options): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const from of tools) figures.push(...(await sessionFigures(from, 100e6, 'many messages', options)));
  for (const from of tools) figures.push(...(await sessionFigures(from, 100e6, 'lines of 12 MB', options)));
  for (const from of tools) figures.push(...(await sessionFigures(from, 1e9, 'all that can be done', options)));
  return figures;
}

/** One session of so many native bytes (times the scale), imported, gone through and resumed. */
export async function sessionFigures(from: ToolId, bytes: number, kind: Kind, options: Options): Promise<Figure[]> {
  const corpus = corpusAt(
    {
      seed: 'large',
      sessions: 1,
      bytes: bytes * options.scale,
      spread: 0,
      brief: kind === 'lines of 12 MB',
      ...(kind === 'lines of 12 MB' ? { promptSize: 12e6 } : {}),
      unbroken: true,
      shares: { 'claude-code': 0, codex: 0, 'gemini-cli': 0, [from]: 1 },
    },
    options.progress,
  );
  const scratch = scratchFolder('large');
  try {
    const session = await imported(corpus, from, kind, scratch, options);
    const others = tools.filter((tool) => tool !== from);
    if (kind !== 'all that can be done')
      for (const to of kind === 'many messages' ? others : others.slice(0, 1)) await session.resume(to);
    else {
      await session.show();
      await session.export();
      // Each tool is resumed in the next one.
      await session.resume(tools[(tools.indexOf(from) + 1) % tools.length] ?? from);
      await session.restore();
    }
    return session.figures;
  } finally {
    discard(scratch);
  }
}

async function imported(
  corpus: Corpus,
  from: ToolId,
  kind: Kind,
  scratch: string,
  options: Options,
): Promise<LargeSession> {
  const homes = { claude: join(scratch, 'claude'), codex: join(scratch, 'codex'), gemini: join(scratch, 'gemini') };
  for (const folder of [...Object.values(homes), join(scratch, 'work')]) mkdirSync(folder);
  // Links, so that what a resume writes stays out of the corpus, and the source can be deleted.
  for (const [name, home] of Object.entries(corpus.homes)) linkAll(String(home), join(scratch, name));
  const session = new LargeSession(corpus, from, kind, scratch, homes, options);
  await session.import();
  return session;
}

class LargeSession {
  readonly figures: Figure[] = [];
  readonly #corpus: Corpus;
  readonly #from: ToolId;
  readonly #name: string;
  readonly #rounds: number;
  readonly #scratch: string;
  readonly #homes: Homes;
  readonly #env: Record<string, string>;
  readonly #options: Options;
  #id = '';
  #floorMs = Number.NaN;

  constructor(corpus: Corpus, from: ToolId, kind: Kind, scratch: string, homes: Homes, options: Options) {
    this.#corpus = corpus;
    this.#from = from;
    this.#name = `${megabytes(corpus.bytes)} of ${from}${kind === 'lines of 12 MB' ? ` in ${kind}` : ''}`;
    this.#rounds = options.rounds ?? (kind === 'many messages' ? 3 : 1);
    this.#scratch = scratch;
    this.#homes = homes;
    this.#env = environment(homes, join(scratch, 'store'));
    this.#options = options;
  }

  async import(): Promise<void> {
    this.#options.progress(`large: import ${this.#name}`);
    const { files } = this.#corpus.byTool[this.#from];
    await floorOf(files);
    this.#floorMs = await floorOf(files);
    const run = await weighNode([sfs, 'import'], this.#env);
    const listed = await runNode([sfs, 'list', '--json'], this.#env);
    // `list --json` is an array of objects with these fields.
    const [session] = JSON.parse(listed.stdout) as { readonly session_id: string; readonly message_count: number }[];
    this.#id = session?.session_id ?? '';
    this.#add(`${this.#name}, ${session?.message_count ?? 0} messages: import`, [run], {
      goal: `≤ ${megabytes(goals.importBytes)}`,
      met: run.residentBytes <= goals.importBytes,
    });
    const [stored] = weightFigures(join(this.#scratch, 'store'), this.#corpus.bytes);
    if (stored !== undefined) this.figures.push({ ...stored, name: '  stored, all included' });
  }

  async show(): Promise<void> {
    await this.#measure('show', ['show', this.#id]);
    await this.#measure('show --messages', ['show', this.#id, '--messages']);
    await this.#measure('show --messages --json', ['show', this.#id, '--messages', '--json']);
    await this.#measure('checkpoint create', ['checkpoint', 'create', this.#id, 'here']);
    await this.#measure('fork', ['fork', this.#id, '--name', 'Other way']);
  }

  async export(): Promise<void> {
    const output = join(this.#scratch, 'out');
    for (const format of ['html', 'markdown', 'sfs', this.#from]) {
      await this.#measure(`export ${format}`, ['export', this.#id, '--format', format, '--output', output]);
      discard(output);
    }
    await this.#measure('export tar.gz', ['export', this.#id, '--output', join(output, 'session.tar.gz')]);
    discard(output);
  }

  /** Goes on in another tool; no vendor's program is there to register anything. */
  async resume(to: ToolId): Promise<void> {
    const isHuge = this.#corpus.bytes > 500e6;
    const runs: WeighedRun[] = [];
    for (let round = 0; round < this.#rounds; round += 1) {
      this.#options.progress(`large: resume ${this.#name} in ${to}, ${round + 1} of ${this.#rounds}`);
      runs.push(await this.#resumed(to));
    }
    const [ms, bytes] = [median(runs.map((run) => run.ms)), Math.max(...runs.map((run) => run.residentBytes))];
    this.#add(
      `  resume in ${to}`,
      runs,
      isHuge
        ? { goal: `≤ ${megabytes(goals.resumeBytes)}`, met: bytes <= goals.resumeBytes }
        : { goal: `≤ ${duration(goals.resumeMs)}`, met: ms <= goals.resumeMs },
    );
  }

  /** The tool has deleted its files, and goes on all the same. */
  async restore(): Promise<void> {
    for (const home of Object.values(this.#homes)) emptyFolder(String(home));
    const run = await this.#resumed(this.#from);
    // `resume --json` says so.
    const { how } = JSON.parse(run.stdout) as { readonly how: string };
    this.#add(`  resume in ${this.#from}, its files deleted: ${how}`, [run], {
      goal: `≤ ${megabytes(goals.resumeBytes)}`,
      met: run.residentBytes <= goals.resumeBytes,
    });
  }

  #resumed(to: ToolId): Promise<WeighedRun> {
    const project = join(this.#scratch, 'work');
    return weighNode([sfs, 'resume', this.#id, '--in', to, '--project', project, '--no-launch', '--json'], this.#env);
  }

  async #measure(name: string, args: readonly string[]): Promise<void> {
    this.#options.progress(`large: ${name} of ${this.#name}`);
    this.#add(`  ${name}`, [await weighNode([sfs, ...args], this.#env, { output: 'dropped' })]);
  }

  #add(name: string, runs: readonly WeighedRun[], goal: Pick<Figure, 'goal' | 'met'> = {}): void {
    const ms = median(runs.map((run) => run.ms));
    const residentBytes = Math.max(...runs.map((run) => run.residentBytes));
    const ratio = ms / this.#floorMs;
    this.figures.push({
      name,
      value: `${duration(ms)}, ${megabytes(residentBytes)} resident`,
      floor: duration(this.#floorMs),
      against: `${ratio.toFixed(2)} ×`,
      ...goal,
      numbers: { bytes: this.#corpus.bytes, ms, residentBytes, floorMs: this.#floorMs, ratio },
    });
  }
}

function linkAll(from: string, to: string): void {
  if (!existsSync(from)) return;
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkAll(source, target);
    else linkSync(source, target);
  }
}

function emptyFolder(folder: string): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
}
