/** `sfsd`: the daemon without a terminal; what it does goes into its log. */

import { siteOf } from '../actions/site.ts';
import { daemonLog } from '../daemon/log.ts';
import { SessionFsError, messageOf } from '../errors.ts';
import type { Machine } from '../io/machine.ts';
import type { TextStream } from '../io/streams.ts';
import { version } from '../version.ts';
import { runDaemon } from './run-daemon.ts';

/** Runs it to its end; the exit status. */
export async function sfsd(
  argv: readonly string[],
  machine: Machine,
  { out, err }: { readonly out: TextStream; readonly err: TextStream },
): Promise<number> {
  if (argv[0] === '--version') {
    out.write(`${version}\n`);
    return 0;
  }
  if (argv.length > 0) {
    err.write('sfsd: takes no arguments; it captures until it is ended\nhint: start it with: sfs daemon start\n');
    return 2;
  }
  const site = siteOf(machine);
  const note = daemonLog(site.store);
  try {
    await runDaemon(site, { captured: () => undefined, note });
    note('ended');
    return 0;
  } catch (cause) {
    const isOurs = cause instanceof SessionFsError;
    const text = `${isOurs ? '' : 'unexpected fault: '}${messageOf(cause)}`;
    note(isOurs || !(cause instanceof Error) ? text : `${text} ${cause.stack ?? ''}`);
    err.write(`sfsd: ${text}\n${isOurs && cause.hint !== undefined ? `hint: ${cause.hint}\n` : ''}`);
    return isOurs ? cause.exit : 1;
  }
}
