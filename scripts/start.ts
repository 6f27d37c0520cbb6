/**
 * `npm start`: captures what is on this machine, shows it, says what to type next, and on a terminal goes on capturing until Ctrl-C.
 * With nothing to capture it does the same on sample homes, in a store of its own.
 */

import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adapters } from '../src/adapters/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const sfs = join(root, 'bin', 'sfs.cjs');

type Environment = Readonly<Record<string, string | undefined>>;

function run(args: readonly string[], env: Environment): void {
  const { status } = spawnSync(process.execPath, [sfs, ...args], { stdio: 'inherit', env });
  if (status !== 0) process.exit(status ?? 1);
}

function countSessions(env: Environment): number {
  const { stdout } = spawnSync(process.execPath, [sfs, 'list', '--quiet', '--all'], { env, encoding: 'utf8' });
  return stdout.split('\n').filter(Boolean).length;
}

/** Goes on until Ctrl-C, which ends it in its own time. */
function stay(env: Environment): void {
  process.on('SIGINT', () => undefined);
  spawn(process.execPath, [sfs, 'up', '--quiet'], { stdio: 'inherit', env }).on('close', (status) => {
    process.exitCode = status ?? 1;
  });
}

/** Does the daemon capture already? */
function isDaemonRunning(env: Environment): boolean {
  return spawnSync(process.execPath, [sfs, 'daemon', 'status'], { stdio: 'ignore', env }).status === 0;
}

/** Recordings of the real tools, laid out as a home directory of their own. */
function sampleEnvironment(): Environment {
  const sample = join(root, '.sample');
  rmSync(sample, { recursive: true, force: true });
  const home = join(sample, 'home');
  for (const adapter of adapters) {
    const fixtures = join(root, 'src', 'adapters', adapter.id, 'fixtures');
    const [recording] = readdirSync(fixtures)
      .filter((name) => /^\d/.test(name))
      .sort(newestFirst);
    if (recording === undefined) continue;
    const target = join(home, adapter.home.default.linux);
    mkdirSync(target, { recursive: true });
    cpSync(join(fixtures, recording), target, { recursive: true });
  }
  const cleared = adapters.flatMap(({ home: { env } }) => env.map(({ name }) => [name, undefined] as const));
  return { ...process.env, ...Object.fromEntries(cleared), HOME: home, SFS_HOME: join(sample, 'store') };
}

/** By version, the newest first; of one version the one named plainly. */
function newestFirst(a: string, b: string): number {
  const [versionA = '', versionB = ''] = [a, b].map((name) => name.split('-')[0]);
  return versionB.localeCompare(versionA, 'en', { numeric: true }) || a.localeCompare(b);
}

/** What to type next; on a terminal, where this one goes on capturing, in another. */
function next(env: Environment, lines: readonly string[]): void {
  const isRunning = isDaemonRunning(env);
  const isStaying = process.stdout.isTTY && !isRunning;
  console.log(
    `\nWhat to type next${isStaying ? ', in another terminal' : ''}:\n${lines.map((line) => `  ${line}`).join('\n')}`,
  );
  if (isRunning) console.log('\nThe daemon captures what comes: npx sfs daemon status');
  if (!isStaying) return;
  console.log('');
  stay(env);
}

const other = adapters.find(({ writer }, index) => index > 0 && writer !== undefined)?.id ?? '';

run(['import'], process.env);
if (countSessions(process.env) > 0) {
  console.log('');
  run(['list', '--limit', '15'], process.env);
  next(process.env, [
    'npx sfs show @last --messages',
    `npx sfs resume @last --in ${other}`,
    'npx sfs list --all',
    'npx sfs --help',
  ]);
} else {
  console.log(
    '\nNo session of a known tool is on this machine. Here is the same on sample homes, in a store of its own (.sample/):\n',
  );
  const env = sampleEnvironment();
  run(['import'], env);
  console.log('');
  run(['list'], env);
  // What this person's shell sets would lead into their own homes.
  const cleared = adapters.flatMap(({ home }) =>
    home.env.flatMap(({ name }) => (process.env[name] ? [`${name}= `] : [])),
  );
  const own = `${cleared.join('')}HOME=.sample/home SFS_HOME=.sample/store`;
  next(env, [
    `${own} npx sfs show @last --messages`,
    `${own} npx sfs resume @last --in ${other} --project . --no-launch`,
    'npx sfs tools',
    'npx sfs --help',
  ]);
}
