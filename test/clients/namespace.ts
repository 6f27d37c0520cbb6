/** Nothing of the matrix may reach a network: the run lives in a namespace whose only interface is loopback. */

import { spawn, spawnSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';

/** `unshare` argv for this user; root needs no user namespace. */
const unshare = process.getuid?.() === 0 ? ['unshare', '--net'] : ['unshare', '--map-root-user', '--net'];

/** Why no namespace can be made here, in one sentence; `undefined` when one can. */
export function namespaceObstacle(): string | undefined {
  const [program = '', ...words] = unshare;
  const tried = spawnSync(program, [...words, 'ip', 'link', 'set', 'lo', 'up'], { encoding: 'utf8' });
  if (tried.error !== undefined) return `${unshare.join(' ')} cannot be run: ${tried.error.message}`;
  if (tried.status === 0) return undefined;
  return `"${unshare.join(' ')} ip link set lo up" failed (util-linux and iproute2 are needed): ${tried.stderr.trim()}`;
}

/** Runs this program again inside a namespace with `words` as its arguments; resolves with its exit status. */
export function runAgainInside(words: readonly string[]): Promise<number> {
  const [program = '', ...namespace] = unshare;
  const shell = ['sh', '-c', 'ip link set lo up && exec "$@"', 'sh', process.execPath, process.argv[1] ?? '', ...words];
  return new Promise((resolve, reject) => {
    const inner = spawn(program, [...namespace, ...shell], { stdio: 'inherit' });
    // Ctrl-C reaches both; the inner one cleans up and ends first.
    const ignore = () => undefined;
    process.on('SIGINT', ignore);
    inner.on('error', reject);
    inner.on('close', (status) => {
      process.off('SIGINT', ignore);
      resolve(status ?? 1);
    });
  });
}

/** Names of interfaces with an address other than loopback; none inside the namespace. */
export function outsideInterfaces(): readonly string[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.some(({ internal }) => !internal) ? [name] : [],
  );
}
