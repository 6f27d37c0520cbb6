/** What comes in while it comes in: a line for each session that changed, and on a terminal one that counts. */

import type { DaemonReport } from '../run-daemon.ts';
import type { Output } from '../context.ts';
import { counted, oneLine, sizeText } from './text.ts';

/** Shows what a daemon in this terminal does. */
export function liveView(output: Output, now: () => Date): DaemonReport & { readonly clear: () => void } {
  let messages = 0;
  let bytes = 0;
  const clear = (): void => {
    if (output.isRemarkTerminal) output.remark('\r\u001B[K');
  };
  const draw = (): void => {
    if (output.isRemarkTerminal)
      output.remark(`Capturing: ${counted(messages, 'message')} from ${sizeText(bytes)}. Ctrl-C ends it.`);
  };
  const line = (text: string): void => {
    clear();
    output.print(`${now().toTimeString().slice(0, 8)} ${oneLine(text)}`);
    draw();
  };
  return {
    clear,
    note: line,
    captured: ({ outcome, sessionId, found, messages: added, bytes: read }) => {
      messages += added;
      bytes += read;
      if (outcome === 'grown') line(`${sessionId} of ${found.adapter.id}: ${counted(added, 'message')} more`);
    },
  };
}
