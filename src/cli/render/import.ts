/** What an import shows: one moving line while it works, then what came in. */

import type { ImportResult, Progress } from '../../actions/import.ts';
import type { Output } from '../context.ts';
import { counted, homeText, oneLine, sizeText } from './text.ts';

const redrawMs = 100;
const lineMs = 5000;

/** A line on standard error that is redrawn on a terminal; elsewhere a line every five seconds. */
export function progressLine(output: Output): { readonly show: Progress; readonly clear: () => void } {
  let drawn = Date.now();
  let isShown = false;
  return {
    show: ({ done, total, bytes, messages }) => {
      const now = Date.now();
      if (now - drawn < (output.isRemarkTerminal ? redrawMs : lineMs)) return;
      drawn = now;
      const text = `${done} of ${counted(total, 'session')}, ${sizeText(bytes)}, ${counted(messages, 'message')}`;
      output.remark(output.isRemarkTerminal ? `\r\u001B[K${text}` : `${text}\n`);
      isShown = output.isRemarkTerminal;
    },
    clear: () => {
      if (isShown) output.remark('\r\u001B[K');
    },
  };
}

/** What is wrong with one place; names in it are foreign. */
export function problemLine({ path, problem }: ImportResult['problems'][number]): string {
  return `sfs: ${oneLine(`${path}: ${problem}`)}\n`;
}

/** One line for each tool that has sessions, then the sum. */
export function importLines(result: ImportResult, homeDir: string): string[] {
  const tools = result.tools.filter(({ found }) => found > 0);
  if (tools.length === 0) return ['No sessions found. See where each tool keeps its sessions: sfs tools'];
  const lines = tools.map((tool) => {
    const parts = [
      ...(tool.new > 0 ? [`${tool.new} new`] : []),
      ...(tool.grown > 0 ? [`${tool.grown} grown`] : []),
      ...(tool.unchanged > 0 ? [`${tool.unchanged} unchanged`] : []),
      ...(tool.deleted > 0 ? [`${tool.deleted} deleted here`] : []),
      ...(tool.failed > 0 ? [`${tool.failed} failed`] : []),
    ];
    return `${oneLine(tool.tool)}: ${counted(tool.found, 'session')} (${parts.join(', ')}) in ${homeText(tool.home, homeDir)}`;
  });
  const messages = tools.reduce((sum, tool) => sum + tool.messages, 0);
  return [
    ...lines,
    messages === 0
      ? 'Nothing new.'
      : `Captured ${counted(messages, 'message')}${result.bytes === 0 ? '' : ` from ${sizeText(result.bytes)}`}.`,
  ];
}
