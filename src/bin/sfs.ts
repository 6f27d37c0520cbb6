/** `sfs`: builds the machine, runs the command line, ends with its exit status. */

import { main } from '../cli/app.ts';
import { cliContext } from '../cli/context.ts';
import { systemMachine } from '../io/system.ts';

// Whatever is written is this person's alone.
process.umask(0o077);
// A reader that has seen enough (head, less) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

void main(process.argv.slice(2), cliContext(process, systemMachine())).then((status) => {
  process.exitCode = status;
});
