/** The loop behind `sfsd` and `sfs up`: watches the tools' homes and captures what changes, for all tools alike. */

import type { Captured, Found } from '../capture/capture.ts';
import { captureAll } from '../capture/capture.ts';
import { SessionFsError, messageOf } from '../errors.ts';
import type { Machine } from '../io/machine.ts';
import { AuditLog } from '../store/audit.ts';
import type { Store } from '../store/store.ts';
import { prepareStore } from '../store/store.ts';
import { CaptureAudit } from './capture-audit.ts';
import { DatabaseChanges } from './database-changes.ts';
import { HeldStore } from './held-store.ts';
import type { Place } from './home-watch.ts';
import { HomeWatch, isAt } from './home-watch.ts';
import { KnownSources } from './known-sources.ts';
import type { Due } from './queue.ts';
import { Queue } from './queue.ts';
import { Searches, keyOf } from './searches.ts';
import { StatusFile, offOf, watchOf } from './status-file.ts';
import type { Changing } from './status-file.ts';
import { nextSweepMs } from './sweeps.ts';
import { DaemonTally } from './tally.ts';
import { Trouble } from './trouble.ts';

/** What the daemon works with. */
export interface DaemonSetup {
  readonly machine: Machine;
  readonly store: Store;
  /** The tools by the configuration as it is now, enabled or not. Throws `invalid-config`. */
  places(): readonly Place[];
  /** Takes the store again when somebody removed its lock. Throws `daemon-running` when another process has it. */
  hold(): void;
  /** A source was looked at and was not as it had been. */
  captured(captured: Captured): void;
  /** Something a person should be able to read later. */
  note(text: string): void;
}

/** Between two looks at what is not watched: homes that are not there, the configuration, the index. Milliseconds. */
const tickMs = 500;
/** The same when nothing has changed for a while. */
const restingTickMs = 5000;
const restAfterMs = 10_000;
/** The longest stretch of capturing what a search found, before events are heard again. */
const backlogMs = 250;
/** Sessions that a glance looks at. */
const glanceSessions = 200;

/** What made a source be captured. */
interface Taken {
  readonly paths: readonly string[];
  /** Somebody said that it changed just now; `false`: a search found it. */
  readonly isHeard: boolean;
}

/** Runs until it is stopped. */
export class Daemon {
  readonly #setup: DaemonSetup;
  readonly #queue = new Queue();
  readonly #databases = new DatabaseChanges();
  #homes: HomeWatch[] = [];
  #off: readonly Place[] = [];
  readonly #searches: Searches;
  readonly #known = new KnownSources();
  readonly #held: HeldStore;
  readonly #audit: CaptureAudit;
  #configSeen: string | undefined;
  #configProblem: string | undefined;
  readonly #trouble: Trouble;
  readonly #glanced = { endedMs: 0, costMs: 0 };
  #nextTickMs = 0;
  /** When something last changed. */
  #stirredMs = performance.now();
  #isStopping = false;
  #wake: () => void = () => undefined;
  #isStirred = false;
  #state: Changing['state'] = 'starting';
  readonly #tally: DaemonTally;
  readonly #status: StatusFile;

  constructor(setup: DaemonSetup) {
    this.#setup = setup;
    const { machine, store, note } = setup;
    this.#held = new HeldStore(machine, store, () => setup.hold());
    this.#audit = new CaptureAudit(new AuditLog(store, machine, 'daemon'));
    this.#searches = new Searches({ machine, note, ended: () => this.#wake() });
    this.#trouble = new Trouble(note);
    this.#tally = new DaemonTally(machine, note);
    this.#status = new StatusFile(machine, store, note);
  }

  /**
   * Watches and captures until {@link stop}. Throws what keeps it from starting, `invalid-config` or `store-unwritable`; and
   * `daemon-running` when another process has taken the store.
   */
  async run(): Promise<void> {
    const { store, note } = this.#setup;
    prepareStore(store);
    this.#place(this.#setup.places());
    this.#configSeen = this.#configState();
    this.#status.write(this.#changing());
    this.#held.check();
    try {
      this.#tick();
      this.#state = 'watching';
      const there = this.#homes.filter(({ isThere }) => isThere).map(({ place }) => place.adapter.id);
      note(`watching ${there.length === 0 ? 'for homes to appear' : there.join(', ')}`);
      for (const { place, problem } of this.#homes)
        if (problem !== undefined) note(`${place.adapter.id} is watched partly: ${problem}`);
      this.#status.tell(this.#changing());
      while (!this.#isStopping) {
        await this.#turn();
        this.#status.tell(this.#changing());
        await this.#pause();
      }
    } finally {
      for (const home of this.#homes) home.close();
      await this.#searches.idle();
      this.#audit.writeAll();
      this.#held.close();
      this.#state = 'stopped';
      this.#status.forget();
      this.#status.tell(this.#changing());
    }
  }

  /** Whatever fails is tried again later; only a store that another process has by now ends it. */
  async #turn(): Promise<void> {
    try {
      if (performance.now() >= this.#nextTickMs) this.#tick();
      this.#look();
      await this.#capture();
      if (!this.#isHeldUp && this.#pending === 0) this.#trouble.end();
    } catch (cause) {
      if (cause instanceof SessionFsError && cause.code === 'daemon-running') throw cause;
      this.#trouble.start(cause, performance.now());
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
    this.#searches.place(this.#homes);
  }

  #changed(path: string, isAppend: boolean): void {
    this.#stirredMs = performance.now();
    this.#queue.changed(path, isAppend, this.#stirredMs);
    // Where one tool is used, another may be for the first time.
    this.#nextTickMs = Math.min(this.#nextTickMs, this.#stirredMs + tickMs);
    if (this.#isStirred) return;
    this.#isStirred = true;
    this.#wake();
  }

  #flooded(place: Place): void {
    this.#setup.note(`more changes at once than the system may hold in ${place.home}: looking at all of it`);
    for (const home of this.#homes) if (home.place === place) this.#searches.ask(home);
  }

  /** What is not told by a watch. */
  #tick(): void {
    const now = performance.now();
    this.#nextTickMs = now + (now - this.#stirredMs > restAfterMs ? restingTickMs : tickMs);
    if (this.#configState() !== this.#configSeen) this.reload();
    for (const home of this.#homes) {
      const wasThere = home.isThere;
      if (home.check()) this.#searches.ask(home);
      if (wasThere !== home.isThere && this.#state === 'watching')
        this.#setup.note(`${home.place.home} ${wasThere ? 'is gone' : 'is there now'}`);
    }
    this.#audit.write(now);
    this.#keepStore();
  }

  /** The store may be removed at any time, its index be made again by any command. What the new one lacks is found by a search. */
  #keepStore(): void {
    if (this.#isHeldUp || !this.#held.check()) return;
    this.#setup.note('the store is another one than before: looking at all of it');
    this.#trouble.end();
    this.#status.forget();
    for (const home of this.#homes) if (home.isThere) this.#searches.ask(home);
  }

  /** Nothing can be written for now. */
  get #isHeldUp(): boolean {
    return performance.now() < this.#trouble.untilMs;
  }

  /** Another text of the configuration has another state. */
  #configState(): string {
    const info = this.#statOf(this.#setup.store.config);
    return info === undefined ? '' : `${info.inode} ${info.modifiedMs} ${info.sizeBytes}`;
  }

  /** Looks for what was not told. */
  #look(): void {
    const now = performance.now();
    const isWatching = this.#homes.every(({ problem }) => problem === undefined);
    this.#searches.start(isWatching, now);
    if (now >= nextSweepMs('glance', this.#glanced, isWatching)) this.#glance();
  }

  /** Looks for itself where changes are likely. */
  #glance(): void {
    const since = performance.now();
    this.#glanced.endedMs = since;
    for (const home of this.#homes) home.look();
    const index = this.#held.site?.index;
    for (const { native_path: path } of index?.list({ limit: glanceSessions }).rows ?? []) {
      if (path === null) continue;
      const info = this.#statOf(path);
      const row = index?.source(path);
      if (info === undefined || row === undefined) continue;
      if (info.sizeBytes !== row.size_bytes || info.modifiedMs !== row.modified_ms) this.#changed(path, false);
    }
    this.#glanced.endedMs = performance.now();
    this.#glanced.costMs = this.#glanced.endedMs - since;
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
    const { site } = this.#held;
    if (site === undefined || this.#isHeldUp) return;
    if (!this.#isDue(performance.now()) && this.#searches.size === 0) return;
    const taken = new Map<Found, Taken>();
    try {
      await captureAll(site, this.#next(taken), (captured) => {
        const from = taken.get(captured.found);
        taken.delete(captured.found);
        if (from !== undefined) this.#report(captured, from);
      });
    } finally {
      // Taken, and cut off before anything was said of it.
      for (const { paths } of taken.values()) for (const path of paths) this.#queue.failed(path, performance.now());
    }
    this.#trouble.end();
    // What was captured into an index that is no more has to be in the one that is.
    this.#keepStore();
  }

  #isDue(nowMs: number): boolean {
    return (this.#queue.nextMs() ?? Infinity) <= nowMs;
  }

  *#next(taken: Map<Found, Taken>): Generator<Found> {
    for (const { found, paths } of this.#sourcesOf(this.#queue.take(performance.now()))) {
      if (this.#isStopping) {
        for (const path of paths) this.#queue.failed(path, performance.now());
        continue;
      }
      taken.set(found, { paths, isHeard: true });
      yield found;
    }
    if (this.#isStopping || this.#isDue(performance.now())) return;
    const endMs = performance.now() + backlogMs;
    for (const found of this.#searches.take()) {
      taken.set(found, { paths: found.source.files.slice(0, 1).map(({ path }) => path), isHeard: false });
      yield found;
      // A session is written once in one go, so what is due waits for the next.
      if (this.#isStopping || performance.now() >= endMs || this.#isDue(performance.now())) return;
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
        if (adapter.reader.load !== undefined && this.#isWrite(path)) this.#searches.ask(home);
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

  #isWrite(path: string): boolean {
    return this.#databases.isWrite(path, this.#statOf(path), this.#setup.machine.now().getTime());
  }

  #report(captured: Captured, { paths, isHeard }: Taken): void {
    const { outcome, problems } = captured;
    this.#tally.count(captured);
    this.#audit.add(captured, performance.now());
    for (const path of paths) {
      if (outcome !== 'failed' && problems.length === 0) {
        this.#queue.done(path);
        if (isHeard && captured.messages > 0) this.#queue.lookAgain(path, performance.now());
      } else {
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
    const heldUntilMs = this.#trouble.untilMs;
    const next = Math.min(
      this.#nextTickMs,
      queued === undefined ? Infinity : Math.max(queued, heldUntilMs),
      this.#searches.size > 0 ? heldUntilMs : Infinity,
      this.#searches.nextMs ?? Infinity,
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

  /** Its status as it is now. */
  #changing(): Changing {
    return {
      state: this.#state,
      config_problem: this.#configProblem ?? null,
      trouble: this.#trouble.why ?? null,
      tools: [...this.#homes.map(watchOf), ...this.#off.map(offOf)],
      ...this.#tally.status,
      last_search_at: this.#searches.lastAt,
      pending: this.#pending,
    };
  }

  get #pending(): number {
    return this.#queue.size + this.#searches.size;
  }
}
