/**
 * Capture under faults, over made-up tools and faults that are drawn from a seed: it is killed, its disk is full or fails, the
 * power goes, the source changes under it, somebody else captures the same, its index is lost. Afterwards it captures once more,
 * and nothing is lost, doubled or invented.
 */

import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { playRun } from '../support/faults/run.ts';
import type { RunReport } from '../support/faults/run.ts';
import { startSecond } from '../support/faults/second.ts';

/** The same runs each time; others or more: `SFS_SEED=7 SFS_RUNS=100000`. The seed of a failure, with `SFS_RUNS=1`, plays that one. */
const firstSeed = Number(process.env['SFS_SEED'] ?? 1);
const runs = Number(process.env['SFS_RUNS'] ?? 350);

test('whatever goes wrong in a capture, nothing is lost, doubled or invented', async (t) => {
  // In memory, where there is such a place: a run makes a hundred small files.
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sessionfs-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const second = await startSecond();
  t.after(() => second.stop());
  const counts = new Map<string, number>();
  const add = (what: string, count: number): void => void counts.set(what, (counts.get(what) ?? 0) + count);
  for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
    const place = join(folder, String(seed));
    mkdirSync(place);
    const report = await playRun(seed, place, second.capture).catch((cause: unknown) => {
      throw new Error(`seed ${seed}: ${String(cause)}`, { cause });
    });
    rmSync(place, { recursive: true });
    if (report.differences.length > 0) throw new Error(failure(seed, report));
    add(report.world, 1);
    add('captures', report.captures);
    add('messages', report.messages);
    for (const kind of report.faults) add(`fault: ${kind}`, 1);
  }
  const table = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${what} ${count}`);
  t.diagnostic(`seeds ${firstSeed}–${firstSeed + runs - 1}: ${table.join('; ')}`);
});

function failure(seed: number, { world, differences, story }: RunReport): string {
  return [`seed ${seed} (${world}):`, ...differences, 'what happened:', ...story].join('\n  ');
}
