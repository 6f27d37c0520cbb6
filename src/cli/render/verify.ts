/** What reading the whole store came to, as a person reads it. */

import type { Verification } from '../../actions/verify.ts';
import { counted, homeText, oneLine, sizeText } from './text.ts';

/** Two lines for each thing that is damaged, then the sum. */
export function verifyLines({ sessions, messages, bytes, damaged }: Verification, homeDir: string): string[] {
  const lines = damaged.flatMap(({ session_id: id, path, problem, hint }) => [
    `${id === null ? '' : `${id}: `}${oneLine(`${homeText(path, homeDir)} ${problem}`)}`,
    `  hint: ${oneLine(hint)}`,
  ]);
  const all = `${counted(sessions, 'session')}, ${counted(messages, 'message')}, ${sizeText(bytes)} of the tools’ own bytes`;
  const broken = new Set(damaged.flatMap(({ session_id: id }) => id ?? [])).size;
  return [
    ...lines,
    damaged.length === 0
      ? `${all}: all as it was promised.`
      : `${all}: ${counted(damaged.length, 'thing is', 'things are')} damaged${broken === 0 ? '' : `, in ${counted(broken, 'session')}`}.`,
  ];
}
