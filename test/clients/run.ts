/** The client matrix: `npm run test:clients`. See README.md beside this file. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { collectChecks, type Checks } from './checks.ts';
import { askSdk } from './cursor/witness.ts';
import { runDaemon } from './daemon.ts';
import { writeFixture } from './fixture.ts';
import { runPair } from './matrix.ts';
import { startModelServer } from './model-server/server.ts';
import { namespaceObstacle, outsideInterfaces, runAgainInside } from './namespace.ts';
import { type Options, parseOptions, usage } from './options.ts';
import { daemonName, type Job, makePlan, type Plan } from './plan.ts';
import { checkAccount, justRecorded } from './own-account.ts';
import { record, type Recording } from './record.ts';
import { endPrograms } from './run-program.ts';
import { allTurns, type Scenario } from './scenarios.ts';
import { importAll, ownSfs, sfsObstacle } from './sfs.ts';
import type { Tool } from './tools.ts';
import { createWorld, type Run, type Setting, type World } from './world.ts';

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
  // What is not in the cache is installed here, outside the namespace.
  const plan = await makePlan(options);
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

async function runMatrix(options: Options, plan: Plan): Promise<number> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sfs-clients-')));
  const server = await startModelServer(allTurns, join(folder, 'requests'));
  const run: Run = { folder, sfs: resolve(options.sfs ?? ownSfs), tools: plan.tools, server };
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

  const inWorld: InWorld = async (name, setting, work) => {
    const world = await createWorld(run, name, setting);
    open.add(world);
    try {
      await work(world);
    } finally {
      open.delete(world);
      await world.close();
    }
  };
  const daemon = plan.watched.length === 0 || options.recordOnly ? [] : [plan.watched];
  const waiting = [
    ...daemon.map((tools) => ({
      name: daemonName,
      run: () => inWorld(daemonName, {}, (world) => runDaemon(world, tools, checks, say)),
    })),
    ...plan.recordings.map(({ tool, recorded }) => ({
      name: recorded.name,
      run: () => inWorld(recorded.name, {}, (world) => checkAccount(world, tool, recorded, checks)),
    })),
    ...(options.recordOnly ? [] : plan.chats).map(({ made, targets }) => ({
      name: `chats.${made.name}`,
      run: () =>
        inWorld(`chats.${made.name}`, {}, async (world) => {
          await resumeAll(world, { scenario: made.scenario, source: made.make(world), targets, sdk: plan.sdk }, checks);
        }),
    })),
    ...plan.jobs.map((job) => ({
      name: job.name,
      run: () => inWorld(job.name, settingOf(job), (world) => runSource(options, plan, job, world, checks, inWorld)),
    })),
  ];

  say(`run folder ${folder}`);
  let broken = 0;
  const work = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      try {
        await job.run();
      } catch (error) {
        broken += 1;
        say(`✗ ${job.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: options.jobs }, work));
  } finally {
    await stop();
  }
  const { passed, failed, known } = checks.totals();
  if (!options.recordOnly) say([...checks.table(), ''].join('\n'));
  const failures = failed + broken;
  if (failures > 0 || options.keep) say(`kept ${folder}`);
  else await rm(folder, { recursive: true, force: true });
  say(`${passed} passed, ${failures} failed${known > 0 ? `, ${known} failed as known` : ''}`);
  return failures > 0 ? 1 : 0;
}

function settingOf({ scenario, source }: Job): Setting {
  return { source, also: scenario.keepsOutputs ? { keepsOutputs: true } : {} };
}

/** Does something in a world of its own. */
type InWorld = (name: string, setting: Setting, work: (world: World) => Promise<void>) => Promise<void>;

/** Records one source session and resumes it in every target. Throws when it cannot be recorded. */
async function runSource(
  { record: fixtures, recordOnly }: Options,
  plan: Plan,
  { name, scenario, source, targets }: Job,
  world: World,
  checks: Checks,
  inWorld: InWorld,
): Promise<void> {
  const started = Date.now();
  const recording = await record(world, source, scenario);
  say(`${name} recorded ${recording.nativeId}, ${recording.oracle.length} items, ${seconds(started)}`);
  for (const fault of recording.last.violations) say(`${name}: note: it sends ${fault} by itself`);
  if (fixtures !== undefined) await writeFixture(fixtures, world, recording, scenario);
  if (recordOnly) return;
  const asked = plan.tools.find((tool) => tool.id === source.id && tool.current);
  if (asked?.drive.account !== undefined) {
    const recorded = justRecorded(name, world.home, asked);
    await inWorld(recorded.name, {}, (fresh) => checkAccount(fresh, asked, recorded, checks));
  }
  const sdk = source.current ? plan.sdk : undefined;
  await resumeAll(world, { scenario, source: recording, targets, sdk }, checks);
}

/** Captures the session and resumes it in each target, and in Cursor where its SDK is asked. */
async function resumeAll(
  world: World,
  what: {
    readonly scenario: Scenario;
    readonly source: Recording;
    readonly targets: readonly Tool[];
    readonly sdk: string | undefined;
  },
  checks: Checks,
): Promise<void> {
  const { scenario, source, targets, sdk } = what;
  await importAll(world);
  if (sdk !== undefined) await askSdk(world, sdk, scenario, source, checks);
  for (const target of targets) {
    const begun = Date.now();
    await runPair({ world, scenario, source, target, checks });
    say(`${world.name} → ${target.name}, ${seconds(begun)}`);
  }
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

function throwIf(obstacle: string | undefined): void {
  if (obstacle !== undefined) throw new Error(obstacle);
}
