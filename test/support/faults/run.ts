/** One run: a made-up person's tool, captured again and again while something goes wrong, and what is there in the end. */

import { join } from 'node:path';
import { Random } from '../../../bench/corpus/random.ts';
import { contextOf } from '../../../src/actions/context.ts';
import { homeOf } from '../../../src/actions/tools.ts';
import { reparseSessions } from '../../../src/actions/reparse.ts';
import { withIndex } from '../../../src/actions/with-index.ts';
import type { Adapter } from '../../../src/adapters/adapter.ts';
import { adapters } from '../../../src/adapters/index.ts';
import type { Captured, CaptureSite } from '../../../src/capture/capture.ts';
import { captureAll } from '../../../src/capture/capture.ts';
import { releaseLock } from '../../../src/io/lock.ts';
import type { Machine } from '../../../src/io/machine.ts';
import { systemMachine } from '../../../src/io/system.ts';
import { SessionIndex } from '../../../src/store/session-index.ts';
import { prepareStore, storeAt, storeExists } from '../../../src/store/store.ts';
import { WriterMemory } from '../../../src/store/writer-memory.ts';
import { Books } from './books.ts';
import { Calls } from './calls.ts';
import { Disk } from './disk.ts';
import type { Fault, Process } from './process.ts';
import { real } from './real.ts';
import type { Call } from './second.ts';
import type { NativeSession, World } from './world.ts';
import { worlds } from './worlds.ts';

/** What went wrong in one capture of a run. */
export const faultKinds = [
  'killed',
  'killed, power cut',
  'disk full',
  'flush fails',
  'source changes meanwhile',
  'second writer',
  'index lost',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** What a run did, for the table. */
export interface RunReport {
  readonly world: string;
  /** Faults that struck: those planned for a call that was never made are not counted. */
  readonly faults: readonly FaultKind[];
  readonly captures: number;
  readonly messages: number;
  readonly differences: readonly string[];
  /** What happened, in order. */
  readonly story: readonly string[];
}

/** Plays one run below `folder`, which is empty. `second` lets another writer capture the same while this one stands still. */
export async function playRun(seed: number, folder: string, second: (call: Call) => boolean): Promise<RunReport> {
  const run = new Run(seed, folder, second);
  try {
    return await run.play();
  } finally {
    run.close();
  }
}

class Run {
  readonly #random: Random;
  readonly #disk: Disk;
  readonly #calls: Calls;
  readonly #env: { readonly [name: string]: string };
  readonly #machine: Machine;
  readonly #adapter: Adapter;
  readonly #home: string;
  readonly #world: World;
  readonly #label: string;
  readonly #books = new Books();
  readonly #second: (call: Call) => boolean;
  readonly #isDaemon: boolean;
  readonly #uninstall: () => void;
  readonly #story: string[] = [];
  readonly #faults: FaultKind[] = [];
  #process: Process;
  #kept: { readonly index: SessionIndex; readonly inode: number; readonly memory: WriterMemory } | undefined;
  /** The sessions that the last capture wrote. */
  readonly #written = new Set<string>();
  #captures = 0;
  #messages = 0;

  constructor(seed: number, folder: string, second: (call: Call) => boolean) {
    const random = new Random(`faults ${seed}`);
    this.#random = random;
    this.#second = second;
    this.#disk = new Disk(folder, random);
    this.#calls = new Calls(this.#disk, (bytes) => random.between(0, bytes));
    this.#env = { HOME: join(folder, 'home'), SFS_HOME: this.#disk.root, PATH: '' };
    real.mkdirSync(this.#env['HOME'] ?? '', { recursive: true });
    this.#machine = {
      ...systemMachine({ env: this.#env, homeDir: join(folder, 'home') }),
      isRunning: (pid) => this.#disk.running.includes(pid),
    };
    const { adapter, kind, make } = random.pick(worlds);
    this.#adapter = adapterNamed(adapter);
    this.#label = `${adapter}, ${kind}`;
    this.#home = homeOf(contextOf(this.#machine, adapters), this.#adapter);
    real.mkdirSync(this.#home, { recursive: true });
    this.#world = make(this.#home, random);
    this.#isDaemon = random.chance(0.5);
    this.#process = this.#disk.start();
    this.#uninstall = this.#calls.install();
  }

  async play(): Promise<RunReport> {
    const random = this.#random;
    for (let step = random.between(1, 3); step > 0; step -= 1) {
      this.#goOn(random.between(0, 2));
      await this.#faulty(random.pick(faultKinds));
    }
    this.#goOn(random.between(0, 1));
    this.#restart();
    const first = await this.#capture(undefined, 'recovered');
    // A document that is cut off is told as a problem until it is whole.
    const isCut = (problem: string): boolean => problem.endsWith('is being written, or was cut off');
    const differences = [
      ...first.filter((one) => !isCut(one)),
      ...this.#books.differences(this.#disk.root, this.#world.sessions(), this.#written),
    ];
    const before = this.#sizes();
    const again = await this.#capture(undefined, 'once more');
    if (again.length === 0 && this.#sizes() !== before)
      differences.push('nothing changed, and the next capture wrote something');
    if (random.chance(0.2)) differences.push(...(await this.#derivedAgain()));
    return {
      world: `${this.#label}${this.#isDaemon ? ', daemon' : ', import'}`,
      faults: this.#faults,
      captures: this.#captures,
      messages: this.#messages,
      differences,
      story: this.#story,
    };
  }

  close(): void {
    this.#disk.end(this.#process);
    this.#world.close();
    this.#uninstall();
  }

  #goOn(times: number): void {
    for (; times > 0; times -= 1) this.#story.push(`source: ${this.#world.act(this.#random)}`);
  }

  async #faulty(kind: FaultKind): Promise<void> {
    const fault = this.#plan(kind);
    if (kind === 'index lost') {
      this.#restart();
      this.#loseIndex();
    }
    if (kind === 'second writer' && this.#random.chance(0.3)) this.#beforehand();
    await this.#capture(fault, kind);
    if (fault === undefined || this.#process.isStruck) this.#faults.push(kind);
    if (fault?.kind === 'killed') {
      this.#restart();
      if (kind === 'killed, power cut') {
        this.#books.powerCut(this.#disk.flushes);
        this.#disk.cutPower();
      }
    }
  }

  #plan(kind: FaultKind): Fault | undefined {
    const random = this.#random;
    // The first capture makes the store: twice as many calls.
    const calls = this.#captures === 0 ? 60 : 30;
    switch (kind) {
      case 'killed':
      case 'killed, power cut':
        return { kind: 'killed', at: random.between(1, calls) };
      case 'disk full':
        return { kind: 'full', at: random.between(1, calls) };
      case 'flush fails':
        return { kind: 'unsynced', at: random.between(1, 6) };
      case 'source changes meanwhile':
        return {
          kind: 'meanwhile',
          at: random.between(1, 2 * calls),
          act: this.#apart(() => this.#goOn(random.between(1, 2))),
        };
      case 'second writer': {
        const changes = random.chance(0.5);
        return {
          kind: 'meanwhile',
          at: random.between(1, 2 * calls),
          act: this.#apart(() => {
            if (changes) this.#goOn(1);
            this.#secondCaptures();
          }),
        };
      }
      case 'index lost':
        return undefined;
      default:
        return kind satisfies never;
    }
  }

  /** Another writer captures something that this one, which goes on with what it remembers, has not seen. */
  #beforehand(): void {
    this.#goOn(1);
    this.#secondCaptures();
    this.#goOn(this.#random.between(0, 2));
  }

  #secondCaptures(): void {
    const sessions = this.#world.sessions();
    this.#books.look(sessions);
    const isAll = this.#second({ env: this.#env, running: this.#disk.running, adapter: this.#adapter.id });
    this.#disk.flushAll();
    this.#story.push(`second writer: captured ${isAll ? 'all' : 'not all'}`);
    if (isAll) for (const session of sessions) this.#books.told(session, session, this.#disk.flushes - 1);
  }

  /** What somebody else does while a capture goes on. */
  #apart(act: () => void): () => void {
    return () => {
      this.#calls.apart(act);
      this.#books.look(this.#world.sessions());
    };
  }

  /** The index is a cache: it may be gone, damaged, or an old copy. */
  #loseIndex(): void {
    const path = join(this.#disk.root, 'index.db');
    if (!real.existsSync(path)) return;
    if (this.#random.chance(0.5)) for (const end of ['', '-wal', '-shm']) real.rmSync(path + end, { force: true });
    else real.truncateSync(path, this.#random.between(0, real.statSync(path).size));
  }

  /** Another process, which knows nothing of what this one knew. */
  #restart(): void {
    this.#disk.end(this.#process);
    this.#kept = undefined;
    // A module outlives the processes of the simulation: what one held is forgotten with it, and its files stay.
    const held = real.existsSync(join(this.#disk.root, 'sessions'))
      ? real
          .readdirSync(join(this.#disk.root, 'sessions'))
          .map((name) => join(this.#disk.root, 'sessions', name, 'meta', 'lock'))
      : [];
    for (const path of held) {
      const bytes = real.existsSync(path) ? real.readFileSync(path) : undefined;
      releaseLock(path);
      if (bytes !== undefined) real.writeFileSync(path, bytes);
    }
    this.#process = this.#disk.start();
  }

  /** One capture; what it should have done and said it did not. */
  async #capture(fault: Fault | undefined, what: string): Promise<string[]> {
    const process = this.#process;
    const before = this.#world.sessions();
    this.#books.look(before);
    this.#captures += 1;
    process.expect(fault);
    const told: Captured[] = [];
    let failure = '';
    try {
      await this.#calls.as(process, () =>
        this.#isDaemon ? this.#byDaemon(told, process) : this.#byImport(told, process),
      );
    } catch (cause) {
      failure = cause instanceof Error ? cause.message : String(cause);
    }
    const after = new Map(this.#world.sessions().map((session) => [session.nativeId, session]));
    this.#story.push(
      `capture: ${what}${fault === undefined ? '' : ` at ${fault.at}${process.isStruck ? '' : ', not reached'}`}; ${
        failure === '' ? told.map(({ outcome, messages }) => `${outcome} ${messages}`).join(', ') : failure
      }`,
    );
    const good = told.filter(({ outcome, problems }) => outcome !== 'failed' && problems.length === 0);
    this.#written.clear();
    for (const captured of good) {
      this.#messages += captured.messages;
      const { nativeId } = captured.found.source;
      if (captured.messages > 0) this.#written.add(nativeId);
      const session = before.find((one) => one.nativeId === nativeId);
      if (session !== undefined) this.#books.told(session, after.get(nativeId), this.#disk.flushes);
    }
    return [
      ...(failure === '' ? [] : [`the capture failed: ${failure}`]),
      ...told.flatMap(({ problems }) => problems.map(({ problem }) => `a problem: ${problem}`)),
      ...before.filter((session) => isMissed(session, good)).map(({ nativeId }) => `${nativeId}: not captured`),
    ];
  }

  /** As `sfs import` does it: the index is opened and closed each time. */
  async #byImport(told: Captured[], process: Process): Promise<void> {
    const context = contextOf(this.#machine, [this.#adapter]);
    await withIndex(context, { create: true }, (index) =>
      this.#captureAll({ machine: this.#machine, store: context.store, index }, told, process),
    );
  }

  async #byDaemon(told: Captured[], process: Process): Promise<void> {
    const store = storeAt(this.#machine);
    const inode = real.statSync(store.index, { throwIfNoEntry: false })?.ino;
    // As the daemon does it: another index, or none, and it is opened again.
    if (this.#kept !== undefined && this.#kept.inode !== inode) {
      this.#kept.index.close();
      this.#kept = undefined;
    }
    if (this.#kept === undefined) {
      prepareStore(store);
      const index = SessionIndex.open(store, this.#machine);
      this.#kept = { index, inode: real.statSync(store.index).ino, memory: new WriterMemory(this.#machine) };
    }
    await this.#captureAll({ machine: this.#machine, store, ...this.#kept }, told, process);
  }

  async #captureAll(site: CaptureSite, told: Captured[], process: Process): Promise<void> {
    const problems: string[] = [];
    const sources = [...this.#adapter.reader.discover(site.machine, this.#home, (_path, why) => problems.push(why))];
    const found = sources.map((source) => ({ adapter: this.#adapter, source }));
    await captureAll(site, found, (captured) => {
      if (!process.isDead) told.push(captured);
    });
  }

  /** What is kept of the sources says the same, to the day's readers. */
  async #derivedAgain(): Promise<string[]> {
    this.#restart();
    const context = contextOf(this.#machine, [this.#adapter]);
    if (!storeExists(context.store)) return [];
    const all = await this.#calls.as(this.#process, () =>
      reparseSessions(context, { all: true, dryRun: false }, () => undefined),
    );
    const failed = (all ?? []).filter(({ outcome }) => outcome === 'failed');
    return [
      ...failed.map(({ session_id: id, why }) => `${id}: cannot be derived again: ${why}`),
      ...this.#books
        .differences(this.#disk.root, this.#world.sessions(), new Set())
        // Where files were rewritten or moved, what was said may be found behind something else too.
        .filter((one) => !one.includes(': doubled: '))
        .map((one) => `derived again: ${one}`),
    ];
  }

  /** Everything of the store by name and size, but for the index. */
  #sizes(): string {
    return real
      .readdirSync(join(this.#disk.root, 'sessions'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => `${path} ${real.statSync(path).size} ${real.statSync(path).ino}`)
      .toSorted()
      .join('\n');
  }
}

function adapterNamed(name: string): Adapter {
  const adapter = adapters.find(({ id }) => id === name);
  if (adapter === undefined) throw new Error(`there is no adapter ${name}`);
  return adapter;
}

function isMissed(session: NativeSession, good: readonly Captured[]): boolean {
  return session.said.length > 0 && !good.some(({ found }) => found.source.nativeId === session.nativeId);
}
