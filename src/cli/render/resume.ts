/** What a resume tells a person: what was carried, what was not, what to type next. */

import { createInterface } from 'node:readline/promises';
import type { Resumed } from '../../actions/resume.ts';
import { counted, oneLine, shellText } from './text.ts';

const how = {
  opened: 'is there in its own tool',
  restored: 'was put back as it was',
  converted: 'was written for',
} as const satisfies Record<Resumed['how'], string>;

/** The lines; the last one is the command unless the tool is started. */
export function resumeLines(resumed: Resumed, options: { readonly starts: boolean }): string[] {
  const { carried, losses } = resumed;
  const kept = [
    counted(carried.user_texts, 'prompt'),
    counted(carried.assistant_texts, 'answer'),
    counted(carried.calls, 'call'),
    counted(carried.results, 'result'),
    ...(carried.images > 0 ? [counted(carried.images, 'image')] : []),
    ...(carried.thinking > 0 ? [`${carried.thinking} thinking`] : []),
  ];
  const lost = Object.entries(losses).map(([name, count]) => `${name} ×${count}`);
  return [
    `“${oneLine(resumed.title ?? 'Untitled session')}” ${how[resumed.how]} ${resumed.tool}.`,
    `Carried: ${kept.join(', ')}.`,
    ...(lost.length === 0 ? [] : [`Not carried: ${lost.join(', ')} (kept in the session).`]),
    ...resumed.notices,
    ...(options.starts ? [] : ['', `cd ${shellText([resumed.cwd])} && ${shellText(resumed.command)}`]),
  ];
}

/** Asks where to go on. */
export async function askForProject(why: string): Promise<string> {
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await questions.question(`${why}\nFolder to work in: `);
  } finally {
    questions.close();
  }
}
