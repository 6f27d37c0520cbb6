/** `sfsd`: the daemon. */

import { sfsd } from '../cli/sfsd.ts';
import { textStream } from '../io/streams.ts';
import { systemMachine } from '../io/system.ts';

void sfsd(process.argv.slice(2), systemMachine(), { out: textStream(1), err: textStream(2) }).then((status) => {
  process.exitCode = status;
});
