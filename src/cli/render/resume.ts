/** What a resume tells a person: what was carried, what was not, what to type next. */

import { createInterface } from 'node:readline/promises';
import type { Resumed } from '../../actions/resume.ts';
import { counted, grouped, oneLine, shellText } from './text.ts';

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
    ...(resumed.budget === undefined ? [] : budgetLines(resumed.budget)),
    ...resumed.notices,
    ...(options.starts ? [] : ['', `cd ${shellText([resumed.cwd])} && ${shellText(resumed.command)}`]),
  ];
}

function budgetLines(budget: NonNullable<Resumed['budget']>): string[] {
  const { left_out: leftOut, context_window: window, model } = budget;
  const of = model === null || window === null ? '' : ` (of the ${grouped(window)} that ${oneLine(model)} sees)`;
  const room = `a budget of ${grouped(budget.tokens)} tokens${of}`;
  const before = grouped(budget.estimate_before);
  if (budget.whole === null) return [`All of it fits ${room}: about ${before}, estimated from its bytes.`];
  const turns = leftOut.turns === 0 ? '' : ` (${counted(leftOut.turns, 'prompt')} among them)`;
  const left = [
    ...(leftOut.outputs > 0 ? [`the middle of ${counted(leftOut.outputs, 'large output')}`] : []),
    ...(leftOut.images > 0 ? [`${counted(leftOut.images, 'image')} of outputs`] : []),
    ...(leftOut.messages > 0 ? [`${counted(leftOut.messages, 'message')}${turns}`] : []),
  ];
  return [
    `Fitted into ${room}: from about ${before} to ${grouped(budget.estimate_after)}, estimated from its bytes.`,
    `Left out: ${left.join(', ')}. The whole: ${budget.whole}`,
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
