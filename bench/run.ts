/**
 * Runs the benchmarks and prints one table: `node bench/run.ts [import] [start] [daemon] [daemon:append] [large] [cursor] … [--scale 0.1] [--rounds 5] [--json]`.
 * The program has to be built before: `npm run bench` does both.
 */

import { parseArgs } from 'node:util';
import { cursorFigures } from './cursor.ts';
import { appendFigures } from './daemon-append.ts';
import { burstFigures } from './daemon-burst.ts';
import { restFigures } from './daemon-rest.ts';
import type { Figure } from './figure.ts';
import { table } from './figure.ts';
import { importFigures } from './import.ts';
import { largeFigures } from './large.ts';
import type { Options } from './options.ts';
import { startFigures } from './start.ts';

/** By name; `daemon` means all of its parts. */
const benchmarks: Readonly<Record<string, (options: Options) => Promise<Figure[]>>> = {
  import: importFigures,
  start: startFigures,
  'daemon:append': appendFigures,
  'daemon:burst': burstFigures,
  'daemon:rest': restFigures,
  large: largeFigures,
  cursor: cursorFigures,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { scale: { type: 'string' }, rounds: { type: 'string' }, json: { type: 'boolean' } },
});
const isAsked = (name: string): boolean =>
  positionals.includes(name) || positionals.includes(name.split(':')[0] ?? name);
const names = new Set(Object.keys(benchmarks).flatMap((name) => [name.split(':')[0] ?? name, name]));
const unknown = positionals.filter((name) => !names.has(name));
const scale = Number(values.scale ?? 1);
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
if (unknown.length > 0 || !(scale > 0) || (rounds !== undefined && !(rounds >= 1))) {
  console.error(`usage: node bench/run.ts [${[...names].join('] [')}] [--scale 0.1] [--rounds 5] [--json]`);
  process.exit(2);
}

const figures: Figure[] = [];
for (const [name, measure] of Object.entries(benchmarks)) {
  if (positionals.length > 0 && !isAsked(name)) continue;
  figures.push(...(await measure({ scale, rounds, progress: (text) => console.error(text) })));
}
console.log(values.json === true ? JSON.stringify(figures, null, 2) : table(figures));
