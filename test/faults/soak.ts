/**
 * Made-up tools at work for minutes, all at once, while a real daemon watches them: sessions begin, grow, are torn, rewritten,
 * moved and deleted, and what is kept is compared with what was said all the time. Prints a table; ends with 1 where they differ.
 *
 *     node test/faults/soak.ts [--minutes 30] [--rate 25] [--seed 1] [--only cursor] [--kills] [--imports]
 *
 * `--rate`: acts in a second, of all tools together. `--kills`: the daemon is killed about once in two minutes and started
 * again. `--imports`: about once in twenty seconds `sfs import` captures the same beside it. Linux; build before.
 */

import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Random } from '../../bench/corpus/random.ts';
import { contextOf } from '../../src/actions/context.ts';
import { homeOf } from '../../src/actions/tools.ts';
import { adapters } from '../../src/adapters/index.ts';
import type { DaemonStatus } from '../../src/daemon/status.ts';
import { systemMachine } from '../../src/io/system.ts';
import { sessionId } from '../../src/model/ids.ts';
import { Books } from '../support/faults/books.ts';
import { keptSession } from '../support/faults/kept.ts';
import type { NativeSession, Size, World } from '../support/faults/world.ts';
import { worlds } from '../support/faults/worlds.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    rate: { type: 'string', default: '25' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    kills: { type: 'boolean', default: false },
    imports: { type: 'boolean', default: false },
  },
});

/** What has been there so long has to be kept, however busy the machine is. Milliseconds. */
const graceMs = 20_000;
/** Sessions of one tool at a time that go on; those before them are left as they are. */
const size: Size = { most: 400, active: 5, begins: 0.01, ownTimes: false };
const compareMs = 250;
const warmMs = 60_000;

/** A tool at work, and since when each thing that can be read now has been there. */
interface Watched {
  readonly world: World;
  readonly sessions: Map<string, { before: NativeSession; since: Map<string, number> }>;
}

class Soak {
  readonly #folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sessionfs-soak-'));
  readonly #home = join(this.#folder, 'home');
  readonly #store = join(this.#home, '.sessionfs');
  readonly #env = { HOME: this.#home, SFS_HOME: this.#store, PATH: '/usr/bin:/bin', NO_COLOR: '1' };
  readonly #random = new Random(`soak ${values.seed}`);
  readonly #books = new Books();
  readonly #watched: readonly Watched[];
  #daemon: ChildProcess | undefined;
  readonly #acts = new Map<string, number>();
  readonly #latencies: number[] = [];
  readonly #differences = new Set<string>();
  #isMeasuring = false;
  #said = 0;
  #compares = 0;
  #kills = 0;
  #imports = 0;
  readonly #memory: { atMs: number; bytes: number }[] = [];

  constructor() {
    mkdirSync(this.#home);
    const machine = systemMachine({ env: this.#env, homeDir: this.#home });
    const context = contextOf(machine, adapters);
    this.#watched = worlds
      .filter(({ adapter, isWatched }) => isWatched && (values.only === undefined || adapter === values.only))
      .map(({ adapter, make }) => {
        const tool = adapters.find(({ id }) => id === adapter);
        if (tool === undefined) throw new Error(`there is no tool ${adapter}`);
        const home = homeOf(context, tool);
        mkdirSync(home, { recursive: true });
        return { world: make(home, this.#random, size), sessions: new Map() };
      });
    for (const watched of this.#watched) this.#look(watched, Infinity);
    if (this.#watched.length === 0) throw new Error(`--only ${values.only}: no such tool is watched`);
  }

  async run(): Promise<boolean> {
    const endMs = performance.now() + Number(values.minutes) * 60_000;
    this.#daemon = await this.#started();
    await Promise.all([this.#write(endMs), this.#compareAll(endMs), this.#disturb(endMs)]);
    await wait(graceMs);
    for (const { world } of this.#watched) for (const one of world.sessions()) this.#compare(world, one.nativeId);
    const now = this.#watched.flatMap(({ world }) => [...world.sessions()]);
    for (const session of now) {
      this.#books.look([session]);
      this.#books.told(session, session, 0);
    }
    for (const one of this.#books.differences(this.#store, now, new Set())) this.#tell(one);
    this.#weigh();
    this.#print(now);
    return this.#differences.size === 0;
  }

  /** The tools go on, each act a moment after the one before it. */
  async #write(endMs: number): Promise<void> {
    const random = this.#random;
    const measuring: Promise<void>[] = [];
    while (performance.now() < endMs) {
      const watched = random.pick(this.#watched);
      const act = watched.world.act(random);
      this.#acts.set(act, (this.#acts.get(act) ?? 0) + 1);
      const [nativeId, text] = this.#look(watched, size.active + 1) ?? [];
      if (nativeId !== undefined && text !== undefined && !this.#isMeasuring)
        measuring.push(this.#measure(watched, nativeId, text));
      await wait((random.next() * 2000) / Number(values.rate));
    }
    await Promise.all(measuring);
  }

  /**
   * Notes what can be read now; of a session that was moved or rewritten it has been there from now on only. What was said
   * last, if that is new, with its session.
   */
  #look({ world, sessions }: Watched, last: number): readonly [nativeId: string, text: string] | undefined {
    const now = performance.now();
    let newest: readonly [string, string] | undefined;
    const all = world.sessions(last);
    this.#books.look(all);
    for (const session of all) {
      const known = sessions.get(session.nativeId);
      const since = new Map<string, number>();
      const isSame = known?.before.place === session.place;
      let follows = isSame;
      for (const [index, { text }] of session.said.entries()) {
        follows &&= known?.before.said[index]?.text === text;
        this.#said += Number(known?.since.has(text) !== true);
        since.set(text, follows ? (known?.since.get(text) ?? now) : now);
      }
      if (known !== undefined) this.#due(session.nativeId, known.since, now);
      sessions.set(session.nativeId, { before: session, since });
      const [text, ms] = [...since].at(-1) ?? [];
      if (text !== undefined && ms === now && known?.since.has(text) === false) newest = [session.nativeId, text];
    }
    return newest;
  }

  #due(nativeId: string, since: ReadonlyMap<string, number>, now: number): void {
    this.#books.due(
      nativeId,
      [...since].flatMap(([text, ms]) => (now - ms > graceMs ? [text] : [])),
    );
  }

  #directory(world: World, nativeId: string): string {
    return join(this.#store, 'sessions', `${sessionId(world.adapter, nativeId)}.sfs`);
  }

  /** How soon what was said last in one session is in the store; one at a time. */
  async #measure({ world, sessions }: Watched, nativeId: string, text: string): Promise<void> {
    this.#isMeasuring = true;
    const since = performance.now();
    const path = join(this.#directory(world, nativeId), 'messages.jsonl');
    const words = JSON.stringify(text).slice(1, -1);
    const isThere = (): boolean => existsSync(path) && readFileSync(path, 'utf8').includes(words);
    const canBeRead = (): boolean => sessions.get(nativeId)?.since.has(text) === true;
    while (!isThere() && canBeRead() && performance.now() - since < graceMs) await wait(2);
    if (canBeRead()) this.#latencies.push(performance.now() - since);
    await wait(200);
    this.#isMeasuring = false;
  }

  async #compareAll(endMs: number): Promise<void> {
    while (performance.now() < endMs) {
      await wait(compareMs);
      const { world, sessions } = this.#random.pick(this.#watched);
      const ids = [...sessions.keys()];
      if (ids.length === 0) continue;
      // Those that go on, and any of those before them.
      const id = this.#random.chance(0.7) ? this.#random.pick(ids.slice(-size.active)) : this.#random.pick(ids);
      this.#due(id, sessions.get(id)?.since ?? new Map(), performance.now());
      this.#compare(world, id);
    }
  }

  #compare(world: World, nativeId: string): void {
    this.#compares += 1;
    const directory = this.#directory(world, nativeId);
    const kept = existsSync(directory) ? keptSession(directory) : undefined;
    for (const one of this.#books.compare(nativeId, kept)) this.#tell(`${world.adapter} ${nativeId}: ${one}`);
  }

  #tell(difference: string): void {
    if (this.#differences.has(difference)) return;
    this.#differences.add(difference);
    console.error(`${new Date().toISOString()} ${difference}`);
  }

  /** Kills the daemon, imports beside it, and weighs it. */
  async #disturb(endMs: number): Promise<void> {
    const start = performance.now();
    for (let seconds = 0; performance.now() < endMs; seconds += 1) {
      await wait(1000);
      if (values.kills && this.#random.chance(1 / 120)) {
        this.#kills += 1;
        await this.#kill();
        this.#daemon = await this.#started();
      }
      if (values.imports && this.#random.chance(1 / 20)) await this.#import();
      if (this.#daemon?.exitCode !== null) throw new Error(`the daemon ended with ${this.#daemon?.exitCode}`);
      if (performance.now() - start > warmMs && seconds % 10 === 0) this.#weigh();
    }
  }

  #weigh(): void {
    const status = readFileSync(`/proc/${this.#daemon?.pid}/status`, 'utf8');
    this.#memory.push({ atMs: performance.now(), bytes: Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]) * 1024 });
  }

  async #import(): Promise<void> {
    this.#imports += 1;
    await ended(this.#spawn('sfs', ['import']));
  }

  #spawn(program: 'sfs' | 'sfsd', args: readonly string[]): ChildProcess {
    const launcher = fileURLToPath(new URL(`../../bin/${program}.cjs`, import.meta.url));
    return spawn(process.execPath, [launcher, ...args], { cwd: this.#home, env: this.#env, stdio: 'ignore' });
  }

  async #started(): Promise<ChildProcess> {
    const daemon = this.#spawn('sfsd', []);
    const path = join(this.#store, 'daemon.json');
    for (;;) {
      // Replaced whole by the daemon.
      const status = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as DaemonStatus) : undefined;
      if (status?.pid === daemon.pid && status?.state === 'watching') return daemon;
      if (daemon.exitCode !== null) throw new Error(`the daemon ended with ${daemon.exitCode}`);
      await wait(20);
    }
  }

  async #kill(): Promise<void> {
    if (this.#daemon === undefined) return;
    const gone = ended(this.#daemon);
    this.#daemon.kill('SIGKILL');
    await gone;
  }

  /** Leaves nothing behind. */
  async end(): Promise<void> {
    await this.#kill();
    for (const { world } of this.#watched) world.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #print(now: readonly NativeSession[]): void {
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    const at = (part: number): string => `${Math.round(sorted[Math.floor(part * (sorted.length - 1))] ?? 0)} ms`;
    const acts = [...this.#acts].toSorted(([, a], [, b]) => b - a);
    const row = (name: string, value: string): { name: string; value: string } => ({ name, value });
    const mebibytes = (bytes: number | undefined): string => `${((bytes ?? 0) / 2 ** 20).toFixed(1)} MiB`;
    const weights = this.#memory.map(({ bytes }) => bytes);
    const rows = [
      row('time', `${values.minutes} min, seed ${values.seed}`),
      row('tools', this.#watched.map(({ world }) => `${world.adapter} (${world.kind})`).join(', ')),
      row('acts', `${acts.reduce((sum, [, count]) => sum + count, 0)}: ${acts.map((one) => one.join(' ')).join(', ')}`),
      row('sessions', String(now.length)),
      row(
        'said',
        `${this.#said} messages; ${now.reduce((sum, { said }) => sum + said.length, 0)} can be read at the end`,
      ),
      row('compares', String(this.#compares)),
      row('differences', String(this.#differences.size)),
      row('said → kept', `p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)} (${sorted.length} measured)`),
      row(
        'memory of the daemon',
        `${mebibytes(weights[0])} after a minute, ${mebibytes(weights.at(-1))} at the end, ${mebibytes(Math.max(...weights))} at most`,
      ),
      row('daemons killed', String(this.#kills)),
      row('imports beside it', String(this.#imports)),
    ];
    console.log(rows.map(({ name, value }) => `${name.padEnd(34)}${value}`).join('\n'));
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null)
    await new Promise((resolve) => {
      child.on('close', resolve);
    });
}

const soak = new Soak();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void soak.end().finally(() => process.exit(1)));
try {
  process.exitCode = (await soak.run()) ? 0 : 1;
} finally {
  await soak.end();
}
