/** One moving line on standard error while many sessions are gone through. */

import type { Output } from '../context.ts';
import { grouped } from './text.ts';

const redrawMs = 100;
const lineMs = 5000;

/** Redrawn on a terminal, and gone at the end; elsewhere a line every five seconds. */
export function countingLine(
  output: Output,
  what: string,
): { readonly show: (done: number, total: number) => void; readonly clear: () => void } {
  let drawn = Date.now();
  let isShown = false;
  const clear = (): void => {
    if (isShown) output.remark('\r\u001B[K');
    isShown = false;
  };
  return {
    show: (done, total) => {
      const now = Date.now();
      if (now - drawn < (output.isRemarkTerminal ? redrawMs : lineMs)) return;
      drawn = now;
      const text = `${what}: ${grouped(done)} of ${grouped(total)} sessions`;
      output.remark(output.isRemarkTerminal ? `\r\u001B[K${text}` : `${text}\n`);
      isShown = output.isRemarkTerminal;
    },
    clear,
  };
}
