/** How long a tool keeps its sessions, as a person reads it. */

import type { ToolRetention } from '../../actions/tools.ts';
import { counted, homeText } from './text.ts';

/** What the tool deletes and what to set, in two sentences. */
export function retentionText(
  name: string,
  { days, sessions, is_default: isDefault, settings, keep_all: keepAll }: ToolRetention,
  homeDir: string,
): string {
  const limits = [
    ...(days === null ? [] : [`that have not changed for ${counted(Math.round(days * 10) / 10, 'day')}`]),
    ...(sessions === null ? [] : [`beyond the newest ${sessions}`]),
  ];
  const why = isDefault ? 'its default' : 'so it is set';
  return `${name} deletes its sessions ${limits.join(', and those ')} (${why}). To keep them, set in ${homeText(settings, homeDir)}: ${keepAll}`;
}
