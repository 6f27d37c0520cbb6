/** What the daemon has come to since it started, for its status and its log. */

import type { Captured } from '../capture/capture.ts';
import type { Machine } from '../io/machine.ts';
import type { DaemonStatus } from './status.ts';

/** So many of the newest problems are told. */
const problemLimit = 10;

/** Counts captures and keeps the newest problems. */
export class DaemonTally {
  readonly #machine: Machine;
  readonly #note: (text: string) => void;
  readonly #captured = { new: 0, grown: 0, rewritten: 0, messages: 0, bytes: 0 };
  #lastCaptureAt: string | null = null;
  #problems: DaemonStatus['problems'] = [];

  /** `note` is told what a person should be able to read later. */
  constructor(machine: Machine, note: (text: string) => void) {
    this.#machine = machine;
    this.#note = note;
  }

  /** Counts what capturing one source came to, its problems with it. */
  count({ outcome, messages, bytes, problems, sessionId, found }: Captured): void {
    for (const { path, problem } of problems) this.problem(path, problem);
    this.#captured.messages += messages;
    this.#captured.bytes += bytes;
    if (messages > 0) this.#lastCaptureAt = this.#machine.now().toISOString();
    if (outcome === 'new' || outcome === 'rewritten' || outcome === 'grown') this.#captured[outcome] += 1;
    if (outcome === 'new' || outcome === 'rewritten')
      this.#note(`${sessionId} of ${found.adapter.id} is ${outcome}, ${messages} messages`);
  }

  /** Notes a problem; the same one again says nothing new. */
  problem(path: string, problem: string): void {
    const last = this.#problems.at(-1);
    if (last?.path === path && last.problem === problem) return;
    this.#note(`${path}: ${problem}`);
    this.#problems = [
      ...this.#problems.slice(1 - problemLimit),
      { at: this.#machine.now().toISOString(), path, problem },
    ];
  }

  /** Its part of the status. */
  get status(): Pick<DaemonStatus, 'captured' | 'last_capture_at' | 'problems'> {
    return { captured: { ...this.#captured }, last_capture_at: this.#lastCaptureAt, problems: this.#problems };
  }
}
