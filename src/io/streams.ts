/** Standard output and error. Node's own stream objects cost 5 ms, so they are made only for a terminal. */

import { fstatSync, writeSync } from 'node:fs';
import { systemCodeOf } from '../errors.ts';

/** Where text goes. */
export interface TextStream {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Of the terminal; `undefined` when it is none. */
  readonly columns: number | undefined;
}

/** Standard output (1) or standard error (2). A reader that has seen enough ends the program quietly. */
export function textStream(descriptor: 1 | 2): TextStream {
  if (!mayBeTerminal(descriptor))
    return { write: (text) => writePlain(descriptor, text), isTerminal: false, columns: undefined };
  const stream = descriptor === 1 ? process.stdout : process.stderr;
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  return {
    write: (text) => void stream.write(text),
    isTerminal: stream.isTTY,
    columns: stream.isTTY ? stream.columns : undefined,
  };
}

function mayBeTerminal(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isCharacterDevice();
  } catch {
    // Closed: writing fails, and says so.
    return false;
  }
}

/** Writes all of it, in as many steps as a slow reader takes. */
function writePlain(descriptor: number, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(descriptor, bytes, done);
    } catch (cause) {
      const code = systemCodeOf(cause);
      if (code === 'EPIPE') process.exit(0);
      if (code !== 'EAGAIN') throw cause;
      Atomics.wait(pause, 0, 0, 5);
    }
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4));
