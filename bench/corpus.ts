/** The native homes that are imported: a realistic crowd of sessions, made once for each set of parameters and kept. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClaudeCode } from './corpus/claude-code.ts';
import { Codex } from './corpus/codex.ts';
import { GeminiCli } from './corpus/gemini-cli.ts';
import { Random } from './corpus/random.ts';
import { recordingsDigest } from './corpus/recordings.ts';
import type { Story } from './corpus/story.ts';
import { Text } from './corpus/text.ts';
import { cacheFolder } from './scratch.ts';
import type { Homes } from './scratch.ts';

/** Counts up when the generator makes something else of the same parameters. */
const revision = 2;

/** What a corpus is to be like. */
export interface CorpusParameters {
  readonly seed: string;
  readonly sessions: number;
  /** Native bytes of all sessions together, at least. */
  readonly bytes: number;
  /** Spread of session sizes: the sigma of a log-normal distribution; 0 makes all alike. */
  readonly spread: number;
  /** Sessions of a prompt and an answer, no calls. */
  readonly brief: boolean;
  /** Characters of every prompt; as people type and paste them when absent. */
  readonly promptSize?: number;
  /** Nobody resumes a session: Gemini CLI writes the whole history again at each resume. */
  readonly unbroken?: boolean;
  /** Shares of the tools by sessions. */
  readonly shares: Readonly<Record<ToolId, number>>;
}

/** Tools that sessions are made for. */
export type ToolId = 'claude-code' | 'codex' | 'gemini-cli';

/** A corpus on the disk. */
export interface Corpus {
  readonly folder: string;
  readonly homes: Homes;
  readonly sessions: number;
  readonly bytes: number;
  readonly byTool: Readonly<Record<ToolId, Share>>;
}

/** One tool's part of a corpus. */
export interface Share {
  readonly sessions: number;
  readonly bytes: number;
  /** Native files, absolute. */
  readonly files: readonly string[];
}

/** Three thousand sessions of all three tools; `scale` makes it smaller. */
export function usualCorpus(scale: number): CorpusParameters {
  return {
    seed: 'sessionfs',
    sessions: Math.max(12, Math.round(3200 * scale)),
    bytes: Math.round(520e6 * scale),
    spread: 1.6,
    brief: false,
    shares: { 'claude-code': 0.56, codex: 0.32, 'gemini-cli': 0.12 },
  };
}

const startMs = Date.UTC(2026, 9, 24);
const days = 31;

/** The corpus with these parameters; made when it is not there yet. */
export function corpusAt(parameters: CorpusParameters, progress: (text: string) => void): Corpus {
  const tools = Object.entries(parameters.shares).flatMap(([tool, share]) => (share > 0 ? [tool] : []));
  const key = createHash('sha256')
    .update(JSON.stringify([revision, parameters, recordingsDigest(tools)]))
    .digest('hex')
    .slice(0, 12);
  const folder = join(cacheFolder(), `corpus-${key}`);
  if (!existsSync(join(folder, 'done'))) make(folder, parameters, progress);
  return describe(folder);
}

function homesIn(folder: string): Homes {
  return { claude: join(folder, 'claude'), codex: join(folder, 'codex'), gemini: join(folder, 'gemini') };
}

function make(folder: string, parameters: CorpusParameters, progress: (text: string) => void): void {
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const text = new Text(parameters.seed);
  const homes = homesIn(unfinished);
  const makers = {
    'claude-code': () => new ClaudeCode(homes.claude, text),
    codex: () => new Codex(homes.codex, text),
    'gemini-cli': () => new GeminiCli(join(homes.gemini, '.gemini'), text),
  };
  const writers = new Map<ToolId, { write(story: Story): string }>();
  const random = new Random(parameters.seed);
  const weights = Array.from({ length: parameters.sessions }, () => random.logNormal(1, parameters.spread));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const projects = Array.from(
    { length: 60 },
    () => `/home/me/work/${text.name(random).toLowerCase()}-${random.hex(2)}`,
  );
  weights.forEach((weight, at) => {
    const story: Story = {
      random: new Random(`${parameters.seed}/${at}`),
      text,
      isBrief: parameters.brief,
      isUnbroken: parameters.unbroken === true,
      promptSize: parameters.promptSize,
      bytes: Math.round((parameters.bytes * weight) / sum),
      startMs: startMs + Math.floor(random.next() * days * 86_400_000),
      cwd: random.pick(projects),
    };
    const tool = toolFor(random, parameters.shares);
    const writer = writers.get(tool) ?? makers[tool]();
    writers.set(tool, writer);
    writer.write(story);
    if (at % 1000 === 999) progress(`corpus: ${at + 1} of ${parameters.sessions} sessions`);
  });
  writeFileSync(join(unfinished, 'done'), '');
  renameSync(unfinished, folder);
}

function toolFor(random: Random, shares: CorpusParameters['shares']): ToolId {
  let at = random.next() * Object.values(shares).reduce((sum, share) => sum + share, 0);
  if ((at -= shares['claude-code']) < 0) return 'claude-code';
  return at - shares.codex < 0 ? 'codex' : 'gemini-cli';
}

function describe(folder: string): Corpus {
  const homes = homesIn(folder);
  const byTool = {
    'claude-code': shareIn(homes.claude, (path) => /\/projects\/[^/]+\/[^/]+\.jsonl$/.test(path)),
    codex: shareIn(homes.codex, (path) => path.includes('/rollout-')),
    'gemini-cli': shareIn(homes.gemini, (path) => path.includes('/chats/session-')),
  };
  const all = Object.values(byTool);
  return {
    folder,
    homes,
    byTool,
    sessions: all.reduce((sum, { sessions }) => sum + sessions, 0),
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function shareIn(home: string, isSession: (path: string) => boolean): Share {
  const files = existsSync(home) ? filesBelow(home) : [];
  return {
    files,
    sessions: files.filter(isSession).length,
    bytes: files.reduce((bytes, path) => bytes + statSync(path).size, 0),
  };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

// Run by itself it makes a corpus: node bench/corpus.ts [scale]
if (import.meta.main) {
  const corpus = corpusAt(usualCorpus(Number(process.argv[2] ?? 1)), (text) => console.error(text));
  console.log(corpus.folder);
  for (const [tool, { sessions, bytes }] of Object.entries(corpus.byTool))
    console.log(`${tool}: ${sessions} sessions, ${(bytes / 1e6).toFixed(1)} MB`);
}
