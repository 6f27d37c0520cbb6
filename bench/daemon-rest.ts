/** The daemon at rest: from its start until it watches 50,000 sessions, then what it costs when nothing happens. Linux. */

import { captured, ended, processorMs, residentBytes, started, wait } from './daemon-process.ts';
import type { Figure } from './figure.ts';
import { duration, megabytes } from './figure.ts';
import type { Options } from './options.ts';
import { environment } from './scratch.ts';
import { largeStore } from './start.ts';

/** Measures the start, the first search, processor time and memory. */
export async function restFigures(options: Options): Promise<Figure[]> {
  const { corpus, store } = await largeStore(Math.max(20, Math.round(50_000 * options.scale)), options.progress);
  options.progress(`daemon: at rest with ${corpus.sessions} sessions`);
  const idleSeconds = Math.max(20, Math.round(120 * Math.min(1, options.scale)));
  const since = performance.now();
  const daemon = await started(environment(corpus.homes, store), store);
  try {
    const watchingMs = performance.now() - since;
    const search = await captured(store, 120_000);
    const searchMs = performance.now() - since - watchingMs;
    await wait(3000);
    const first = processorMs(daemon.pid);
    await wait(idleSeconds * 1000);
    const share = (processorMs(daemon.pid) - first) / (idleSeconds * 1000);
    const resident = residentBytes(daemon.pid, 'VmRSS');
    const peak = residentBytes(daemon.pid, 'VmHWM');
    const folders = search.tools.reduce((sum, tool) => sum + tool.watched, 0);
    return [
      {
        name: `start → watching ${corpus.sessions} sessions in ${folders} folders`,
        value: duration(watchingMs),
        numbers: { ms: watchingMs, folders },
      },
      {
        name: '  the first search after it',
        value: duration(searchMs),
        numbers: { ms: searchMs, processorMs: first },
      },
      {
        name: `at rest for ${idleSeconds} s, cheap looks included`,
        value: `${(share * 100).toFixed(3)} % of a core`,
        goal: '≤ 0.1 %',
        met: share <= 0.001,
        numbers: { share },
      },
      {
        name: '  resident',
        value: `${megabytes(resident)} (highest ${megabytes(peak)})`,
        goal: '≤ 100 MB',
        met: resident <= 100e6,
        numbers: { bytes: resident, peakBytes: peak },
      },
    ];
  } finally {
    await ended(daemon);
  }
}
