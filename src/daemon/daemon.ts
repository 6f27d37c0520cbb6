/** The loop behind `sfsd` and `sfs up`: watches the tools' homes and captures what changes, for all tools alike. */

import type { Captured, CaptureSite, Found } from '../capture/capture.ts';
import { captureAll } from '../capture/capture.ts';
import { messageOf } from '../errors.ts';
import type { Machine } from '../io/machine.ts';
import { SessionIndex } from '../store/session-index.ts';
import type { Store } from '../store/store.ts';
import { prepareStore } from '../store/store.ts';
import { WriterMemory } from '../store/writer-memory.ts';
import { version } from '../version.ts';
import type { Place } from './home-watch.ts';
import { HomeWatch, isAt } from './home-watch.ts';
import { KnownSources } from './known-sources.ts';
import type { Due } from './queue.ts';
import { Queue } from './queue.ts';
import { searchAway } from './search.ts';
import type { DaemonStatus, ToolWatch } from './status.ts';
import { processMark, writeStatus } from './status.ts';
import type { Sweep } from './sweeps.ts';
import { nextSweepMs } from './sweeps.ts';
import { DaemonTally } from './tally.ts';

/** What the daemon works with. */
export interface DaemonSetup {
  readonly machine: Machine;
  readonly store: Store;
  /** The tools by the configuration as it is now, enabled or not. Throws `invalid-config`. */
  places(): readonly Place[];
  /** A source was looked at and was not as it had been. */
  captured(captured: Captured): void;
  /** Something a person should be able to read later. */
  note(text: string): void;
}

/** Between two looks at what is not watched: homes that are not there, the configuration, the index. Milliseconds. */
const tickMs = 500;
/** The same when nothing has changed for a while. */
const restingTickMs = 2500;
const restAfterMs = 10_000;
/** Between two writings of the status. */
const statusMs = 500;
/** The longest stretch of capturing what a search found, before events are heard again. */
const backlogMs = 250;
/** Between two searches that were asked for: a time, and so many times longer than the last one took. */
const searchApartMs = 500;
const searchTimesCost = 20;
/** Sessions that a glance looks at. */
const glanceSessions = 200;
/** After the store could not be written; doubled each further time. */
const troubleMs = 1000;
const longestTroubleMs = 60_000;

interface SweepState {
  endedMs: number;
  costMs: number;
}

/** Runs until it is stopped. */
export class Daemon {
  readonly #setup: DaemonSetup;
  readonly #queue = new Queue();
  /** Sources that searches found changed, in the order they are captured. */
  readonly #backlog = new Map<string, Found>();
  #homes: HomeWatch[] = [];
  #off: readonly Place[] = [];
  readonly #toSearch = new Set<HomeWatch>();
  #searching: Promise<void> | undefined;
  #searchNotBeforeMs = 0;
  readonly #known = new KnownSources();
  readonly #memory: WriterMemory;
  #index: SessionIndex | undefined;
  #indexIdentity: string | undefined;
  #configSeen: string | undefined;
  #configProblem: string | undefined;
  #trouble: { readonly why: string; readonly times: number; readonly untilMs: number } | undefined;
  readonly #sweeps: Readonly<Record<Sweep, SweepState>> = {
    glance: { endedMs: 0, costMs: 0 },
    search: { endedMs: 0, costMs: 0 },
  };
  #nextTickMs = 0;
  /** When something last changed. */
  #stirredMs = performance.now();
  #isStopping = false;
  #wake: () => void = () => undefined;
  #isStirred = false;
  // What the status tells.
  #state: DaemonStatus['state'] = 'starting';
  readonly #startedAt: string;
  readonly #mark: string | null;
  readonly #tally: DaemonTally;
  #lastSearchAt: string | null = null;
  #statusText = '';
  #statusMs = -statusMs;

  constructor(setup: DaemonSetup) {
    this.#setup = setup;
    this.#memory = new WriterMemory(setup.machine);
    this.#tally = new DaemonTally(setup.machine, (text) => setup.note(text));
    this.#startedAt = setup.machine.now().toISOString();
    this.#mark = processMark(setup.machine, process.pid);
  }

  /** Watches and captures until {@link stop}. Throws what keeps it from starting: `invalid-config`, `store-unwritable`. */
  async run(): Promise<void> {
    const { store, note } = this.#setup;
    prepareStore(store);
    this.#place(this.#setup.places());
    this.#configSeen = this.#configState();
    writeStatus(store, this.#status());
    this.#openIndex();
    try {
      this.#tick();
      this.#state = 'watching';
      const there = this.#homes.filter(({ isThere }) => isThere).map(({ place }) => place.adapter.id);
      note(`watching ${there.length === 0 ? 'for homes to appear' : there.join(', ')}`);
      for (const { place, problem } of this.#homes)
        if (problem !== undefined) note(`${place.adapter.id} is watched partly: ${problem}`);
      this.#tellStatus();
      while (!this.#isStopping) {
        if (performance.now() >= this.#nextTickMs) this.#tick();
        this.#sweep();
        await this.#capture();
        this.#tellStatus();
        await this.#pause();
      }
    } finally {
      for (const home of this.#homes) home.close();
      await this.#searching;
      this.#index?.close();
      this.#state = 'stopped';
      this.#statusMs = -statusMs;
      this.#tellStatus();
    }
  }

  /** Ends {@link run} when the write in hand is done. */
  stop(): void {
    this.#isStopping = true;
    this.#wake();
  }

  /** Reads the configuration again. One that cannot be read leaves the old one in force. */
  reload(): void {
    this.#configSeen = this.#configState();
    try {
      this.#place(this.#setup.places());
      if (this.#configProblem !== undefined) this.#setup.note('the configuration is in force again');
      this.#configProblem = undefined;
    } catch (cause) {
      this.#configProblem = messageOf(cause);
      this.#setup.note(`the configuration is not in force: ${this.#configProblem}`);
    }
    this.#nextTickMs = 0;
    this.#wake();
  }

  /** Takes over where the tools are; homes that stay are not disturbed. */
  #place(places: readonly Place[]): void {
    const before = this.#homes;
    this.#homes = places
      .filter(({ isEnabled }) => isEnabled)
      .map(
        (place) =>
          before.find((home) => home.place.adapter === place.adapter && home.place.home === place.home) ??
          new HomeWatch(place, {
            changed: (path, isAppend) => this.#changed(path, isAppend),
            flooded: () => this.#flooded(place),
          }),
      );
    for (const home of before) if (!this.#homes.includes(home)) home.close();
    this.#off = places.filter(({ isEnabled }) => !isEnabled);
    this.#known.clear();
    for (const [key, { adapter }] of this.#backlog)
      if (this.#off.some((place) => place.adapter === adapter)) this.#backlog.delete(key);
  }

  #changed(path: string, isAppend: boolean): void {
    this.#stirredMs = performance.now();
    this.#queue.changed(path, isAppend, this.#stirredMs);
    if (this.#isStirred) return;
    this.#isStirred = true;
    this.#wake();
  }

  #flooded(place: Place): void {
    this.#setup.note(`more changes at once than the system may hold in ${place.home}: looking at all of it`);
    for (const home of this.#homes) if (home.place === place) this.#toSearch.add(home);
  }

  /** What is not told by a watch. */
  #tick(): void {
    if (this.#configState() !== this.#configSeen) this.reload();
    for (const home of this.#homes) {
      const wasThere = home.isThere;
      if (home.check()) this.#toSearch.add(home);
      if (wasThere !== home.isThere && this.#state === 'watching')
        this.#setup.note(`${home.place.home} ${wasThere ? 'is gone' : 'is there now'}`);
    }
    this.#keepIndex();
    const now = performance.now();
    this.#nextTickMs = now + (now - this.#stirredMs > restAfterMs ? restingTickMs : tickMs);
  }

  /** The index may be removed at any time, and made again by any command. What the new one lacks is found by a search. */
  #keepIndex(): void {
    if (this.#indexState() === this.#indexIdentity) return;
    this.#openIndex();
    for (const home of this.#homes) if (home.isThere) this.#toSearch.add(home);
  }

  #openIndex(): void {
    const { machine, store } = this.#setup;
    prepareStore(store);
    this.#index?.close();
    this.#index = undefined;
    this.#index = SessionIndex.open(store, machine);
    this.#indexIdentity = this.#indexState();
  }

  get #site(): CaptureSite {
    const { machine, store } = this.#setup;
    if (this.#index === undefined) throw new Error('the index is not open');
    return { machine, store, index: this.#index, memory: this.#memory };
  }

  /** Another text of the configuration has another state. */
  #configState(): string {
    const info = this.#statOf(this.#setup.store.config);
    return info === undefined ? '' : `${info.inode} ${info.modifiedMs} ${info.sizeBytes}`;
  }

  #indexState(): string {
    const info = this.#statOf(this.#setup.store.index);
    return info === undefined ? '' : `${info.device} ${info.inode}`;
  }

  get #isWatching(): boolean {
    return this.#homes.every(({ problem }) => problem === undefined);
  }

  #sweep(): void {
    const now = performance.now();
    if (this.#searching === undefined) {
      const isWhole = this.#lastSearchAt === null || now >= this.#nextSweepMs('search');
      if (isWhole) for (const home of this.#homes) if (home.isThere) this.#toSearch.add(home);
      if (isWhole || (this.#toSearch.size > 0 && now >= this.#searchNotBeforeMs))
        this.#searching = this.#search(isWhole).finally(() => {
          this.#searching = undefined;
          this.#wake();
        });
    }
    if (now >= this.#nextSweepMs('glance')) this.#glance();
  }

  #nextSweepMs(sweep: Sweep): number {
    return nextSweepMs(sweep, this.#sweeps[sweep], this.#isWatching);
  }

  /** Finds the sources that changed in the homes to be searched; what was worked on last is captured first. */
  async #search(isWhole: boolean): Promise<void> {
    const { machine } = this.#setup;
    const homes = [...this.#toSearch];
    this.#toSearch.clear();
    const changed: { readonly found: Found; readonly modifiedMs: number }[] = [];
    const since = performance.now();
    for (const home of homes) home.unreadable = undefined;
    try {
      if (homes.length > 0)
        await searchAway(
          machine,
          homes.map(({ place }) => place),
          (message) => {
            const home = homes[message.place];
            if (home === undefined) return;
            if ('problem' in message) home.unreadable = message.problem;
            else
              changed.push({
                found: { adapter: home.place.adapter, source: message.source },
                modifiedMs: message.modifiedMs,
              });
          },
        );
    } catch (cause) {
      this.#setup.note(`a search failed: ${messageOf(cause)}`);
      for (const home of homes) home.unreadable = messageOf(cause);
    }
    const endedMs = performance.now();
    this.#searchNotBeforeMs = endedMs + Math.max(searchApartMs, searchTimesCost * (endedMs - since));
    changed.sort((a, b) => b.modifiedMs - a.modifiedMs);
    for (const { found } of changed)
      if (this.#homes.some(({ place }) => place.adapter === found.adapter)) this.#backlog.set(keyOf(found), found);
    if (!isWhole) return;
    this.#sweeps.search.costMs = endedMs - since;
    this.#sweeps.search.endedMs = endedMs;
    this.#lastSearchAt = machine.now().toISOString();
  }

  /** Looks for itself where changes are likely. */
  #glance(): void {
    const since = performance.now();
    for (const home of this.#homes) home.look();
    const { index } = this.#site;
    for (const { native_path: path } of index.list({ limit: glanceSessions }).rows) {
      if (path === null) continue;
      const info = this.#statOf(path);
      const row = index.source(path);
      if (info === undefined || row === undefined) continue;
      if (info.sizeBytes !== row.size_bytes || info.modifiedMs !== row.modified_ms) this.#changed(path, false);
    }
    this.#sweeps.glance.costMs = performance.now() - since;
    this.#sweeps.glance.endedMs = performance.now();
  }

  #statOf(path: string): ReturnType<Machine['stat']> {
    try {
      return this.#setup.machine.stat(path);
    } catch {
      // Unmounted or forbidden now; the search tells when it stays so.
      return undefined;
    }
  }

  /** Captures what is due, then what searches found, as long as nothing else is due. */
  async #capture(): Promise<void> {
    const now = performance.now();
    if (this.#trouble !== undefined && now < this.#trouble.untilMs) return;
    if (!this.#isDue(now) && this.#backlog.size === 0) return;
    const taken = new Map<Found, readonly string[]>();
    try {
      await captureAll(this.#site, this.#next(taken), (captured) => {
        const paths = taken.get(captured.found) ?? [];
        taken.delete(captured.found);
        this.#report(captured, paths);
      });
      // What was captured into an index that is no more has to be in the one that is.
      this.#keepIndex();
      if (this.#trouble !== undefined) this.#setup.note('capturing again');
      this.#trouble = undefined;
    } catch (cause) {
      const times = (this.#trouble?.times ?? 0) + 1;
      const why = messageOf(cause);
      if (why !== this.#trouble?.why) this.#setup.note(`cannot capture: ${why}`);
      const waitMs = Math.min(longestTroubleMs, troubleMs * 2 ** Math.min(times - 1, 16));
      this.#trouble = { why, times, untilMs: performance.now() + waitMs };
    }
    // Taken, and cut off before anything was said of it.
    for (const paths of taken.values()) for (const path of paths) this.#queue.failed(path, performance.now());
  }

  #isDue(nowMs: number): boolean {
    return (this.#queue.nextMs() ?? Infinity) <= nowMs;
  }

  *#next(taken: Map<Found, readonly string[]>): Generator<Found> {
    for (const { found, paths } of this.#sourcesOf(this.#queue.take(performance.now()))) {
      if (this.#isStopping) {
        for (const path of paths) this.#queue.failed(path, performance.now());
        continue;
      }
      taken.set(found, paths);
      yield found;
    }
    const endMs = performance.now() + backlogMs;
    for (const [key, found] of this.#backlog) {
      // A session is written once in one go, so what is due waits for the next.
      if (this.#isStopping || performance.now() >= endMs || this.#isDue(performance.now())) return;
      this.#backlog.delete(key);
      taken.set(found, [found.source.files[0]?.path ?? '']);
      yield found;
    }
  }

  /** The sources that changed paths belong to, each once. */
  #sourcesOf(due: readonly Due[]): Iterable<{ readonly found: Found; readonly paths: readonly string[] }> {
    const sources = new Map<string, { readonly found: Found; readonly paths: string[] }>();
    for (const { path, isAppend } of due) {
      const found = this.#sourceOf(path, isAppend);
      if (found === undefined) continue;
      const key = keyOf(found);
      const before = sources.get(key);
      if (before === undefined) sources.set(key, { found, paths: [path] });
      else before.paths.push(path);
    }
    return sources.values();
  }

  #sourceOf(path: string, isAppend: boolean): Found | undefined {
    const now = performance.now();
    const known = this.#known.get(path, now);
    if (isAppend && known !== undefined) return known;
    this.#known.forget(path);
    const home = this.#homes.find(({ place }) => isAt(place, path));
    if (home === undefined) return undefined;
    const { adapter } = home.place;
    try {
      const source = adapter.reader.sourceAt(this.#setup.machine, path, (where, why) =>
        this.#tally.problem(where, why),
      );
      if (source === undefined) {
        this.#queue.done(path);
        // A database belongs to all its sessions: which of them changed is told by looking.
        if (adapter.reader.load !== undefined) this.#toSearch.add(home);
        return undefined;
      }
      const found = { adapter, source };
      // How the rows of a database stand the source says: it has to be asked for each time.
      if (source.files.every(({ rows }) => rows === undefined)) this.#known.keep(path, found, now);
      return found;
    } catch (cause) {
      this.#tally.problem(path, messageOf(cause));
      this.#queue.failed(path, now);
      return undefined;
    }
  }

  #report(captured: Captured, paths: readonly string[]): void {
    const { outcome, problems } = captured;
    this.#tally.count(captured);
    for (const path of paths) {
      if (outcome !== 'failed' && problems.length === 0) this.#queue.done(path);
      else {
        this.#known.forget(path);
        this.#queue.failed(path, performance.now());
      }
    }
    if (outcome !== 'unchanged' && outcome !== 'empty' && outcome !== 'deleted') this.#setup.captured(captured);
  }

  /** Waits for the next thing to do. */
  async #pause(): Promise<void> {
    this.#isStirred = false;
    if (this.#isStopping) return;
    const now = performance.now();
    const queued = this.#queue.nextMs();
    const heldUntilMs = this.#trouble?.untilMs ?? 0;
    const next = Math.min(
      this.#nextTickMs,
      queued === undefined ? Infinity : Math.max(queued, heldUntilMs),
      this.#backlog.size > 0 ? heldUntilMs : Infinity,
      this.#toSearch.size > 0 && this.#searching === undefined ? this.#searchNotBeforeMs : Infinity,
    );
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, Math.ceil(next - now)));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => undefined;
  }

  /** Writes the status when it is another one, and not too often. A full disk keeps the old one. */
  #tellStatus(): void {
    const now = performance.now();
    if (now - this.#statusMs < statusMs) return;
    const status = this.#status();
    const text = JSON.stringify({ ...status, updated_at: '' });
    if (text === this.#statusText) return;
    this.#statusMs = now;
    try {
      writeStatus(this.#setup.store, status);
      this.#statusText = text;
    } catch (cause) {
      this.#setup.note(messageOf(cause));
    }
  }

  #status(): DaemonStatus {
    const { machine } = this.#setup;
    return {
      pid: process.pid,
      process_mark: this.#mark,
      version,
      state: this.#state,
      started_at: this.#startedAt,
      updated_at: machine.now().toISOString(),
      config_problem: this.#configProblem ?? null,
      trouble: this.#trouble?.why ?? null,
      tools: [...this.#homes.map(watchOf), ...this.#off.map(offOf)],
      ...this.#tally.status,
      last_search_at: this.#lastSearchAt,
      pending: this.#queue.size + this.#backlog.size,
    };
  }
}

function watchOf(home: HomeWatch): ToolWatch {
  const problem = home.unreadable ?? home.problem;
  return {
    tool: home.place.adapter.id,
    home: home.place.home,
    state: !home.isThere ? 'absent' : home.problem === undefined ? 'watched' : 'partly',
    folders: home.folders,
    watched: home.watched,
    problem: problem ?? null,
  };
}

function offOf({ adapter, home }: Place): ToolWatch {
  return { tool: adapter.id, home, state: 'off', folders: 0, watched: 0, problem: null };
}

function keyOf({ adapter, source }: Found): string {
  return `${adapter.id}\n${source.nativeId}`;
}
