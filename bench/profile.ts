/**
 * Where the time of one command goes, by function: `node bench/profile.ts import`, or any other command line of sfs, run
 * from the sources so that lines are theirs: `node bench/profile.ts [--scale 0.1] [--top 40] -- list --json`.
 */

import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { corpusAt, usualCorpus } from './corpus.ts';
import { runNode } from './process.ts';
import { discard, environment, scratchFolder } from './scratch.ts';

/** What `--cpu-prof` writes, as far as it is read here. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const root = fileURLToPath(new URL('..', import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { scale: { type: 'string' }, top: { type: 'string' }, store: { type: 'string' } },
});
const corpus = corpusAt(usualCorpus(Number(values.scale ?? 0.2)), (text) => console.error(text));
const scratch = scratchFolder('profile');
try {
  const env = environment(corpus.homes, values.store ?? join(scratch, 'store'));
  const command = positionals.length === 0 ? ['import'] : positionals;
  if (values.store === undefined && command[0] !== 'import')
    await runNode([join(root, 'src/bin/sfs.ts'), 'import'], env);
  const folder = join(scratch, 'profile');
  mkdirSync(folder);
  const { ms } = await runNode(
    ['--cpu-prof', '--cpu-prof-interval', '200', '--cpu-prof-dir', folder, join(root, 'src/bin/sfs.ts'), ...command],
    env,
  );
  console.log(`${command.join(' ')}: ${ms.toFixed(0)} ms, ${(corpus.bytes / 1e6).toFixed(0)} MB corpus`);
  for (const name of readdirSync(folder)) {
    // Node's own file.
    const profile = JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile;
    print(profile, Number(values.top ?? 45));
  }
} finally {
  discard(scratch);
}

/** Functions by their own time and by the time of all they call, in milliseconds. */
function print({ nodes, samples, timeDeltas }: CpuProfile, top: number): void {
  const own = new Map<number, number>();
  samples.forEach((id, at) => own.set(id, (own.get(id) ?? 0) + (timeDeltas[at] ?? 0) / 1000));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const self = new Map<string, number>();
  const total = new Map<string, number>();
  const visit = (id: number, above: readonly string[]): number => {
    const node = byId.get(id);
    if (node === undefined) return 0;
    const { functionName, url, lineNumber } = node.callFrame;
    const place = url.startsWith('file://') ? `${url.slice(7).replace(root, '')}:${lineNumber + 1}` : url;
    const key = `${functionName === '' ? '(anonymous)' : functionName}  ${place}`;
    const isNested = above.includes(key);
    const mine = own.get(id) ?? 0;
    const all = (node.children ?? []).reduce(
      (sum, child) => sum + visit(child, isNested ? above : [...above, key]),
      mine,
    );
    self.set(key, (self.get(key) ?? 0) + mine);
    if (!isNested) total.set(key, (total.get(key) ?? 0) + all);
    return all;
  };
  const first = nodes[0];
  const sum = first === undefined ? 0 : visit(first.id, []);
  for (const [title, times] of [
    ['own time', self],
    ['with what they call', total],
  ] as const) {
    console.log(`\n${title}`);
    for (const [key, ms] of [...times].toSorted((a, b) => b[1] - a[1]).slice(0, top))
      console.log(`${ms.toFixed(0).padStart(8)} ms ${((ms / sum) * 100).toFixed(1).padStart(5)} %  ${key}`);
  }
}
