/** Handing the terminal to the tool. */

import { runInTerminal } from '../io/terminal.ts';
import type { Resumed } from './resume.ts';

/** Starts the tool in its workspace and waits; its exit status. */
export function launch(resumed: Resumed): Promise<number> {
  return runInTerminal(resumed.command, resumed.cwd);
}
