/** The logs of one tool. */

import type { Random } from '../../../bench/corpus/random.ts';
import type { LogForm } from './log.ts';
import { Log } from './log.ts';
import { Teller } from './teller.ts';
import type { NativeSession, Size, World } from './world.ts';

export class LogWorld implements World {
  readonly adapter: string;
  readonly kind: string;
  readonly #size: Size;
  readonly #logs: Log[] = [];
  readonly #begin: () => void;

  constructor(
    place: { readonly adapter: string; readonly kind: string; readonly form: LogForm; readonly home: string },
    random: Random,
    size: Size,
  ) {
    this.adapter = place.adapter;
    this.kind = place.kind;
    this.#size = size;
    const teller = new Teller(random, size);
    this.#begin = () => void this.#logs.push(new Log(place.form, place.home, teller, random.uuid()));
    for (let times = random.between(1, 2); times > 0; times -= 1) this.#begin();
  }

  sessions(last = Infinity): readonly NativeSession[] {
    return this.#logs.slice(-last).map((log) => log.native);
  }

  act(random: Random): string {
    const { most, active, begins } = this.#size;
    if (this.#logs.length < most && random.chance(begins)) {
      this.#begin();
      return 'begun';
    }
    return random.pick(this.#logs.slice(-active)).act(random);
  }

  close(): void {
    this.#logs.length = 0;
  }
}
