/** `sfs`: builds the machine, runs the command line, ends with its exit status. */

import { main } from '../cli/app.ts';
import { cliContext } from '../cli/context.ts';
import { textStream } from '../io/streams.ts';
import { systemMachine } from '../io/system.ts';

void main(process.argv.slice(2), cliContext(systemMachine(), { out: textStream(1), err: textStream(2) })).then(
  (status) => {
    process.exitCode = status;
  },
);
