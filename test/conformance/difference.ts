/** How what a reader finds in a written session differs from what was to be written, in the words of the declared losses. */

import { missingResult, wordFor } from '../../src/adapters/shared/conversation.ts';
import type { ImageBlock } from '../../src/model/block.ts';
import type { Part, Told, ToldCall, ToldResult, Turn } from './told.ts';

/** Differences by name, and those that no loss stands for, in sentences. */
export interface Difference {
  readonly losses: ReadonlyMap<string, number>;
  readonly unexplained: readonly string[];
}

/** What `found` lacks of `meant`. */
export function differenceBetween(meant: Told, found: Told): Difference {
  const comparing = new Comparing(meant, found);
  comparing.compare();
  return { losses: comparing.losses, unexplained: comparing.unexplained };
}

class Comparing {
  readonly losses: Map<string, number>;
  readonly unexplained: string[] = [];
  readonly #meant: Told;
  readonly #found: Told;

  constructor(meant: Told, found: Told) {
    this.#meant = meant;
    this.#found = found;
    this.losses = new Map(meant.losses);
  }

  compare(): void {
    this.#thinking();
    const lost = this.#lostImages();
    const meant = withoutImages(this.#meant.turns, lost);
    const found = this.#found.turns;
    let at = 0;
    for (const turn of meant) {
      // What a tool says by itself (of an interruption) is no part of the session.
      while (found[at]?.isMeta === true && !isLike(turn, found[at])) at += 1;
      const other = found[at];
      if (other === undefined || other.who !== turn.who) {
        this.#odd('turn', turn, other);
        return;
      }
      this.#turn(turn, other);
      at += 1;
    }
    for (const turn of found.slice(at)) if (!turn.isMeta) this.#odd('one more turn', undefined, turn);
  }

  #lose(name: string, times = 1): void {
    if (times > 0) this.losses.set(name, (this.losses.get(name) ?? 0) + times);
  }

  #odd(what: string, meant: unknown, found: unknown): void {
    this.unexplained.push(`${what}: meant ${shown(meant)}, found ${shown(found)}`);
  }

  #thinking(): void {
    const found = this.#found.thinking;
    const kept = inBoth(
      this.#meant.thinking.map((text) => text.toWellFormed()),
      found,
    );
    for (const [index, text] of this.#meant.thinking.entries()) {
      if (!kept.has(index)) this.#lose('thinking');
      else if (!text.isWellFormed()) this.#lose('half-character');
    }
    if (kept.size < found.length) this.#odd('thinking', this.#meant.thinking, found);
  }

  /** Images that are not there, as they stand in what was meant. */
  #lostImages(): ReadonlySet<ImageBlock> {
    const meant = imagesOf(this.#meant.turns);
    const found = imagesOf(this.#found.turns);
    const kept = inBoth(meant.map(imageKey), found.map(imageKey));
    this.#lose('image', meant.length - kept.size);
    if (kept.size < found.length) this.#odd('images', meant, found);
    return new Set(meant.filter((_, index) => !kept.has(index)));
  }

  #turn(meant: Turn, found: Turn): void {
    const expected = runsOf(meant.parts);
    const actual = runsOf(found.parts);
    if (expected.map(({ type }) => type).join(' ') !== actual.map(({ type }) => type).join(' ')) {
      this.#odd('parts', expected, actual);
      return;
    }
    for (const [index, part] of expected.entries()) this.#part(part, actual[index], meant.isSummary);
  }

  #part(meant: Run, found: Run | undefined, isSummary: boolean): void {
    if (meant.type === 'text' && found?.type === 'text') {
      const halves = meant.texts.filter((text) => !text.isWellFormed());
      this.#lose('half-character', halves.length);
      const said = meant.texts.map((text) => text.toWellFormed()).join('');
      const heard = found.texts.join('');
      // A tool may put its own marks around a summary.
      const inside = isSummary ? insideOf(heard) : undefined;
      if (said !== heard && said !== inside) this.#odd('text', said, heard);
    } else if (meant.type === 'call' && found?.type === 'call') {
      this.#call(meant.call, found.call);
    }
  }

  #call(meant: ToldCall, found: ToldCall): void {
    if (!meant.name.isWellFormed()) this.#lose('half-character');
    if (meant.name.toWellFormed() !== found.name) this.#lose('call-name');
    const input = JSON.stringify(meant.input);
    const other = JSON.stringify(found.input);
    const whole = JSON.stringify(wellFormed(meant.input));
    if (other !== whole) {
      if (other !== '{}') this.#odd('input', input, other);
      this.#lose('call-input');
    } else if (whole !== input) this.#lose('half-character');
    if (meant.result !== undefined) this.#result(meant.result, found.result ?? nothing);
    else if ((found.result ?? nothing).text !== missingResult) this.#odd('result', undefined, found.result);
  }

  #result(meant: ToldResult, found: ToldResult): void {
    if (!meant.text.isWellFormed()) this.#lose('half-character');
    const text = meant.text.toWellFormed();
    const images = (blocks: readonly ImageBlock[]): string => blocks.map(imageKey).join(' ');
    if (text === '' && meant.isError && found.text !== '') this.#lose('silent-failure');
    else if (text !== found.text) this.#odd('result', text, found.text);
    if (images(meant.images) !== images(found.images)) this.#odd('images', meant.images, found.images);
    if (meant.isError !== found.isError) this.#lose('failure-mark');
  }
}

/** The positions in `meant` of a longest row of values that `found` holds in the same order. */
function inBoth(meant: readonly string[], found: readonly string[]): ReadonlySet<number> {
  // longest[i][j]: how long it is from meant[i] and found[j] on.
  const longest = Array.from({ length: meant.length + 1 }, () => Array.from({ length: found.length + 1 }, () => 0));
  const at = (i: number, j: number): number => longest[i]?.[j] ?? 0;
  for (let i = meant.length - 1; i >= 0; i -= 1)
    for (let j = found.length - 1; j >= 0; j -= 1)
      longest[i]?.splice(j, 1, meant[i] === found[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1)));
  const kept = new Set<number>();
  for (let i = 0, j = 0; i < meant.length && j < found.length;) {
    if (meant[i] === found[j]) {
      kept.add(i);
      i += 1;
      j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return kept;
}

/** A text without the element around it: `<state_snapshot>\n…\n</state_snapshot>`. */
function insideOf(text: string): string | undefined {
  return /^<(\w+)>\n([\s\S]*)\n<\/\1>$/.exec(text)?.[2];
}

/** Do both begin with the same? */
function isLike(meant: Turn, found: Turn | undefined): boolean {
  const [a, b] = [meant, found].map((turn) => turn?.parts[0]);
  if (a?.type === 'text' && b?.type === 'text') {
    const said = a.text.toWellFormed();
    return b.text.startsWith(said) || (meant.isSummary && insideOf(b.text)?.startsWith(said) === true);
  }
  return meant.who === found?.who && a?.type === b?.type;
}

const nothing: ToldResult = { text: missingResult, isError: true, images: [] };

/** Texts in a row as one; tools differ in how they cut them. */
type Run =
  | { readonly type: 'text'; readonly texts: string[] }
  | { readonly type: 'image' }
  | { readonly type: 'call'; readonly call: ToldCall };

function runsOf(parts: readonly Part[]): Run[] {
  const runs: Run[] = [];
  for (const part of parts) {
    const last = runs.at(-1);
    if (part.type === 'call') runs.push({ type: 'call', call: part });
    else if (part.type === 'image') runs.push({ type: 'image' });
    else if (last?.type === 'text') last.texts.push(part.text);
    else runs.push({ type: 'text', texts: [part.text] });
  }
  return runs;
}

function imagesOf(turns: readonly Turn[]): ImageBlock[] {
  return turns.flatMap(({ parts }) =>
    parts.flatMap((part) => {
      if (part.type === 'image') return [part.image];
      return part.type === 'call' ? (part.result?.images ?? []) : [];
    }),
  );
}

/** A word for each image that is lost, where it stood. */
function withoutImages(turns: readonly Turn[], lost: ReadonlySet<ImageBlock>): Turn[] {
  if (lost.size === 0) return [...turns];
  return turns.map((turn) => ({
    ...turn,
    parts: turn.parts.map((part): Part => {
      if (part.type === 'image') return lost.has(part.image) ? { type: 'text', text: wordFor(part.image) } : part;
      if (part.type !== 'call' || part.result === undefined) return part;
      const { text, images } = part.result;
      const gone = images.filter((image) => lost.has(image)).map(wordFor);
      const result: ToldResult = {
        ...part.result,
        text: [...(text === '' && gone.length > 0 ? [] : [text]), ...gone].join('\n'),
        images: images.filter((image) => !lost.has(image)),
      };
      return { ...part, result };
    }),
  }));
}

/** An untyped image is taken for what it most often is. */
function imageKey({ source: { type, data, media_type: mediaType } }: ImageBlock): string {
  return `${type}:${type === 'base64' ? (mediaType ?? 'image/png') : ''}:${data}`;
}

function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toWellFormed(), wellFormed(item)]));
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 400);
}
