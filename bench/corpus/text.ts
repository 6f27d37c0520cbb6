/** Text by word frequency: prose, code and what programs print, in sizes as asked. */

import { Random } from './random.ts';
import { codeShapes, outputShapes, parts, prose } from './words.ts';

const poolLines = 24_000;

/** Writes text. Lines are drawn from pools, as people and programs repeat themselves. */
export class Text {
  readonly #random: Random;
  readonly #names: readonly string[];
  readonly #pools: {
    readonly prose: readonly string[];
    readonly code: readonly string[];
    readonly output: readonly string[];
  };

  constructor(seed: string) {
    this.#random = new Random(`${seed}/text`);
    this.#names = Array.from({ length: 4000 }, () => this.#newName());
    this.#pools = {
      prose: Array.from({ length: poolLines }, () => this.#sentence()),
      code: Array.from({ length: poolLines }, () => '  '.repeat(this.#random.between(0, 3)) + this.#filled(codeShapes)),
      output: Array.from({ length: poolLines }, () => this.#filled(outputShapes)),
    };
  }

  /** About so many characters of sentences. */
  prose(random: Random, size: number): string {
    return joined(random, this.#pools.prose, size, (at) => (at % 5 === 4 ? '\n\n' : ' '));
  }

  /** About so many characters of lines of code. */
  code(random: Random, size: number): string {
    return joined(random, this.#pools.code, size, () => '\n');
  }

  /** About so many characters of what a command prints. */
  output(random: Random, size: number): string {
    return joined(random, this.#pools.output, size, () => '\n');
  }

  /** A name as code has it. */
  name(random: Random): string {
    return this.#names[zipf(random, this.#names.length)] ?? 'value';
  }

  /** A file of a project. */
  path(random: Random): string {
    return `src/${this.name(random).toLowerCase()}/${this.name(random).toLowerCase()}.ts`;
  }

  #newName(): string {
    const words = Array.from(
      { length: this.#random.between(1, 3) },
      () => parts[zipf(this.#random, parts.length)] ?? 'x',
    );
    return words.map((word, at) => (at === 0 ? word : `${word[0]?.toUpperCase() ?? ''}${word.slice(1)}`)).join('');
  }

  #sentence(): string {
    const words = Array.from({ length: this.#random.between(5, 22) }, () =>
      this.#random.chance(0.08) ? `\`${this.name(this.#random)}\`` : (prose[zipf(this.#random, prose.length)] ?? 'it'),
    );
    const text = words.join(' ');
    return `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}.`;
  }

  #filled(shapes: readonly string[]): string {
    return this.#random
      .pick(shapes)
      .replaceAll(/[$#]/g, (mark) =>
        mark === '$' ? this.name(this.#random) : String(Math.floor(this.#random.logNormal(60, 1.2))),
      );
  }
}

/** A rank below `length`; low ranks are frequent, by Zipf's law. */
function zipf(random: Random, length: number): number {
  return Math.min(length - 1, Math.floor(length ** random.next()) - 1);
}

function joined(random: Random, pool: readonly string[], size: number, between: (at: number) => string): string {
  let text = '';
  for (let at = 0; text.length < size; at += 1) text += (at === 0 ? '' : between(at)) + random.pick(pool);
  return text.length > size + 200 ? text.slice(0, size) : text;
}
