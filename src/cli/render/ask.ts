/** A question a person answers with yes or no. */

import { createInterface } from 'node:readline/promises';

/** Asks on standard error; only `y` or `yes` is yes, and the end of the input is no. */
export async function isYes(
  question: string,
  { input, output }: { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream } = {
    input: process.stdin,
    output: process.stderr,
  },
): Promise<boolean> {
  const reader = createInterface({ input, output });
  try {
    const ended = new Promise<string>((resolve) => reader.once('close', () => resolve('')));
    return /^\s*y(es)?\s*$/i.test(await Promise.race([reader.question(`${question} [y/N] `), ended]));
  } finally {
    reader.close();
  }
}
