/** What is said in made-up sessions, and when. */

import type { Random } from '../../../bench/corpus/random.ts';
import { real } from './real.ts';
import type { Said, Size } from './world.ts';

const words = [
  'gate',
  'hinge',
  'öl',
  'latch',
  'spring',
  '木',
  'paint',
  'plane',
  '🚪',
  'brass',
  '"quoted"',
  'back\\slash',
];

/** Makes what is said, and moves the clock that the files' times are set by. */
export class Teller {
  readonly #random: Random;
  readonly #ownTimes: boolean;
  #count = 0;
  #seconds = 1_790_000_000;

  constructor(random: Random, { ownTimes }: Pick<Size, 'ownTimes'>) {
    this.#random = random;
    this.#ownTimes = ownTimes;
  }

  say(): Said {
    const random = this.#random;
    this.#count += 1;
    const length = random.chance(0.03) ? random.between(500, 3000) : random.between(1, 12);
    const text = [`#${this.#count}`, ...Array.from({ length }, () => random.pick(words))].join(' ');
    return { text, role: this.#count % 2 === 1 ? 'user' : 'assistant', id: random.uuid() };
  }

  /** The same with other words. */
  sayAnew(said: Said): Said {
    this.#count += 1;
    return { ...said, text: `${said.text} #${this.#count}` };
  }

  bytes(): Buffer {
    return Buffer.from(this.#random.hex(this.#random.between(10, 6000)));
  }

  /** Another time at each call, as ISO 8601. */
  now(): string {
    this.#seconds += 1;
    return new Date(this.#seconds * 1000).toISOString();
  }

  /** Two changes within one tick of the system's clock would have one time. */
  touch(path: string): void {
    if (!this.#ownTimes) return;
    this.#seconds += 1;
    real.utimesSync(path, this.#seconds, this.#seconds);
  }
}
