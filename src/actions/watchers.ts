/** Which tools are captured by themselves. */

import { setConfig } from './config.ts';
import type { Context } from './context.ts';
import { homeOf, isEnabled, toolNamed } from './tools.ts';

/** One tool, for `sfs watcher list`. */
export interface Watcher {
  readonly tool: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly home: string;
  readonly home_exists: boolean;
}

/** Every known tool. */
export function listWatchers(context: Context): Watcher[] {
  return context.adapters.map((adapter) => {
    const home = homeOf(context, adapter);
    return {
      tool: adapter.id,
      name: adapter.name,
      enabled: isEnabled(context, adapter),
      home,
      home_exists: context.machine.stat(home)?.kind === 'directory',
    };
  });
}

/** Switches capturing of a tool on or off, in the configuration; the tool's id. Throws `unknown-tool`. */
export async function setWatched(context: Context, name: string, enabled: boolean): Promise<string> {
  const { id } = toolNamed(context, name);
  await setConfig(context.store, `${id}.enabled`, String(enabled));
  return id;
}
