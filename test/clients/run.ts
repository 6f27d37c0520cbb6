/** The client matrix: `npm run test:clients`. See README.md beside this file. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { collectChecks, type Checks } from './checks.ts';
import { writeFixture } from './fixture.ts';
import { runPair } from './matrix.ts';
import { startModelServer } from './model-server/server.ts';
import { namespaceObstacle, outsideInterfaces, runAgainInside } from './namespace.ts';
import { type Options, parseOptions, usage } from './options.ts';
import { record } from './record.ts';
import { endPrograms } from './run-program.ts';
import { allTurns, type Scenario, scenarios } from './scenarios.ts';
import { importAll, ownSfs, sfsObstacle } from './sfs.ts';
import { drivableIds, loadTool, programPath, type Tool } from './tools.ts';
import { createWorld, type Run, type World } from './world.ts';

const say = (line: string) => console.log(line);

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  return 1;
});

async function main(words: readonly string[]): Promise<number> {
  const options = parseOptions(words);
  if (options === undefined) {
    say(usage);
    return 0;
  }
  for (const program of ['tmux', 'git']) {
    if (spawnSync(program, ['-V']).error !== undefined)
      throw new Error(`${program} is needed and was not found; install it first`);
  }
  if (!options.recordOnly) throwIf(sfsObstacle(options.sfs ?? ownSfs));
  const plan = await loadPlan(options);
  if (options.inside || !options.namespace) {
    const outside = outsideInterfaces();
    if (options.namespace)
      throwIf(outside.length > 0 ? `this namespace has interfaces: ${outside.join(', ')}` : undefined);
    return runMatrix(options, plan);
  }
  const obstacle = namespaceObstacle();
  throwIf(obstacle && `${obstacle}\nNo CLI is started without a network namespace, unless --no-namespace is given.`);
  return runAgainInside([...words, '--inside-namespace']);
}

type Plan = {
  readonly tools: readonly Tool[];
  readonly sources: readonly Tool[];
  readonly targets: readonly Tool[];
  readonly scenarios: readonly Scenario[];
};

/** Loads the chosen tools; what is not in the cache is installed here, outside the namespace. */
async function loadPlan(options: Options): Promise<Plan> {
  const all = await drivableIds();
  const from = options.from ?? all;
  const to = options.to ?? all;
  const tools: Tool[] = [];
  for (const id of new Set([...from, ...to])) tools.push(await loadTool(id));
  const chosen = (ids: readonly string[]) => tools.filter(({ id }) => ids.includes(id));
  const names = options.scenarios ?? scenarios.map(({ name }) => name);
  return {
    tools,
    sources: chosen(from),
    targets: chosen(to),
    scenarios: scenarios.filter(({ name }) => names.includes(name)),
  };
}

async function runMatrix(options: Options, plan: Plan): Promise<number> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sfs-clients-')));
  const path = await programPath(join(folder, 'bin'), plan.tools);
  const server = await startModelServer(allTurns, join(folder, 'requests'));
  const run: Run = { folder, path, sfs: resolve(options.sfs ?? ownSfs), tools: plan.tools, server };
  const checks = collectChecks(say);
  const open = new Set<World>();
  const stop = async () => {
    endPrograms();
    for (const world of open) await world.close();
    await server.close();
  };
  process.once('SIGINT', () => {
    say(`interrupted; kept ${folder}`);
    void stop().then(() => process.exit(130));
  });

  say(`run folder ${folder}`);
  const jobs = plan.scenarios.flatMap((scenario) => plan.sources.map((source) => ({ scenario, source })));
  let broken = 0;
  const work = async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const world = await createWorld(run, `${job.scenario.name}.${job.source.id}`);
      open.add(world);
      broken += await runSource(options, plan, world, job.scenario, job.source, checks);
      open.delete(world);
      await world.close();
    }
  };
  try {
    await Promise.all(Array.from({ length: options.jobs }, work));
  } finally {
    await stop();
  }
  const { passed, failed } = checks.totals();
  if (!options.recordOnly) say(['', ...checks.table(), ''].join('\n'));
  const failures = failed + broken;
  if (failures > 0 || options.keep) say(`kept ${folder}`);
  else await rm(folder, { recursive: true, force: true });
  say(`${passed} passed, ${failures} failed`);
  return failures > 0 ? 1 : 0;
}

/** Records one source session and resumes it in every target. Returns 1 when it could not even be recorded. */
async function runSource(
  { record: fixtures, recordOnly }: Options,
  { targets }: Plan,
  world: World,
  scenario: Scenario,
  source: Tool,
  checks: Checks,
): Promise<number> {
  const started = Date.now();
  try {
    const recording = await record(world, source, scenario);
    say(
      `${scenario.name}: ${source.id} recorded ${recording.nativeId}, ${recording.oracle.length} items, ${seconds(started)}`,
    );
    for (const fault of recording.last.violations) say(`${scenario.name}: note: ${source.id} itself sends ${fault}`);
    if (fixtures !== undefined) await writeFixture(fixtures, world, recording, scenario);
    if (recordOnly) return 0;
    await importAll(world);
    // The diagonal comes last: it deletes the native files.
    const ordered = [...targets].sort((a, b) => Number(a.id === source.id) - Number(b.id === source.id));
    for (const target of ordered) {
      const begun = Date.now();
      await runPair({ world, scenario, source: recording, target, checks });
      say(`${scenario.name}: ${source.id} → ${target.id}, ${seconds(begun)}`);
    }
    return 0;
  } catch (error) {
    say(`✗ ${scenario.name}: ${source.id}: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

function throwIf(obstacle: string | undefined): void {
  if (obstacle !== undefined) throw new Error(obstacle);
}
