/** Sessions that are one document each. */

import { join } from 'node:path';
import type { Random } from '../../../bench/corpus/random.ts';
import { real } from './real.ts';
import { Teller } from './teller.ts';
import type { NativeSession, Said, Size, World } from './world.ts';

interface Document {
  readonly id: string;
  readonly path: string;
  said: Said[];
  isWhole: boolean;
  /** Nothing while it is deleted. */
  bytes: Buffer | undefined;
}

/** Sessions of Gemini CLI before 0.39: one document each, rewritten whole. */
export class DocumentWorld implements World {
  readonly adapter = 'gemini-cli';
  readonly kind = 'document';
  readonly #size: Size;
  readonly #teller: Teller;
  readonly #documents: Document[] = [];
  readonly #folder: string;

  constructor(home: string, random: Random, size: Size) {
    this.#size = size;
    this.#teller = new Teller(random, size);
    this.#folder = join(home, 'tmp', 'gate', 'chats');
    real.mkdirSync(this.#folder, { recursive: true });
    for (let times = random.between(1, 2); times > 0; times -= 1) this.#begin(random);
  }

  sessions(last = Infinity): readonly NativeSession[] {
    return this.#documents.slice(-last).map(({ id, said, path, isWhole, bytes }) => {
      const whole = isWhole ? bytes : undefined;
      return {
        nativeId: id,
        place: path,
        said: whole === undefined ? [] : [...said],
        files: () =>
          whole === undefined
            ? []
            : [{ key: path.slice(path.lastIndexOf('/') + 1), bytes: whole, kind: 'whole' as const }],
        rows: [],
        isTorn: false,
      };
    });
  }

  #begin(random: Random): void {
    const id = random.uuid();
    const path = join(this.#folder, `session-2026-11-23T05-00-${id.slice(0, 8)}.json`);
    const begun: Document = { id, said: [this.#teller.say()], path, isWhole: true, bytes: undefined };
    this.#documents.push(begun);
    this.#write(begun);
  }

  act(random: Random): string {
    const { most, active, begins } = this.#size;
    if (this.#documents.length < most && random.chance(begins)) {
      this.#begin(random);
      return 'begun';
    }
    const one = random.pick(this.#documents.slice(-active));
    const act = random.pick([
      'appended',
      'appended',
      'appended',
      'cut back',
      'halved',
      'deleted',
      'written again',
      'written in place',
    ] as const);
    if (act === 'deleted') {
      real.rmSync(one.path, { force: true });
      one.bytes = undefined;
      return act;
    }
    if (act === 'cut back') one.said = one.said.slice(0, random.between(0, one.said.length));
    if (act === 'appended' || act === 'cut back' || one.said.length === 0)
      for (let times = random.between(1, 3); times > 0; times -= 1) one.said.push(this.#teller.say());
    this.#write(one, act === 'written in place', act === 'halved' ? random.next() : 1);
    return act;
  }

  close(): void {
    this.#documents.length = 0;
  }

  #write(one: Document, inPlace = false, part = 1): void {
    const at = this.#teller.now();
    const messages = one.said.map((said) => ({
      id: said.id,
      timestamp: at,
      type: said.role === 'user' ? 'user' : 'gemini',
      content: said.text,
    }));
    const value = { sessionId: one.id, projectHash: '0'.repeat(64), startTime: at, lastUpdated: at, messages };
    const whole = Buffer.from(JSON.stringify(value, null, 2));
    one.isWhole = part === 1;
    // Its id is in it, so that it is known whose it is.
    one.bytes = whole.subarray(0, part === 1 ? whole.length : Math.floor(70 + part * (whole.length - 71)));
    if (inPlace) real.writeFileSync(one.path, one.bytes);
    else {
      real.writeFileSync(`${one.path}.new`, one.bytes);
      real.renameSync(`${one.path}.new`, one.path);
    }
    this.#teller.touch(one.path);
  }
}
