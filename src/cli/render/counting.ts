/** One moving line on standard error while many sessions are gone through. */

import type { Output } from '../context.ts';
import { grouped } from './text.ts';

const redrawMs = 100;

/** Redrawn on a terminal, and gone at the end; nothing elsewhere. */
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
      if (!output.isRemarkTerminal || now - drawn < redrawMs) return;
      drawn = now;
      output.remark(`\r\u001B[K${what}: ${grouped(done)} of ${grouped(total)} sessions`);
      isShown = true;
    },
    clear,
  };
}
