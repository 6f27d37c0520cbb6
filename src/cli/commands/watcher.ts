/** `sfs watcher list|enable|disable` */

import { buildCommand, buildRouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { jsonFlag } from '../flags.ts';
import type { JsonFlag } from '../flags.ts';

const list = buildCommand<JsonFlag, [], CliContext>({
  docs: {
    brief: 'Which tools are captured, and where',
    fullDescription: '`watched`: what a running daemon does about it.',
  },
  parameters: { flags: { json: jsonFlag } },
  async func({ json }) {
    const [{ listWatchers }, { daemonStatus }] = await Promise.all([
      import('../../actions/watchers.ts'),
      import('../../daemon/control.ts'),
    ]);
    const running = daemonStatus(this);
    const watchers = listWatchers(await this.full()).map((watcher) => ({
      ...watcher,
      watched: running?.tools.find(({ tool }) => tool === watcher.tool)?.state ?? null,
    }));
    if (json) return this.output.print(JSON.stringify(watchers, null, 2));
    const [{ table }, { homeText }, { watchWords }] = await Promise.all([
      import('../render/table.ts'),
      import('../render/text.ts'),
      import('../render/daemon.ts'),
    ]);
    const columns = [
      { heading: 'TOOL' },
      { heading: 'CAPTURED' },
      { heading: 'WATCHED' },
      { heading: 'SESSIONS IN', flexible: true as const },
    ];
    const rows = watchers.map(({ tool, enabled, home, home_exists: isThere, watched }) => [
      tool,
      enabled ? 'yes' : 'off',
      watched === null ? 'no daemon' : watchWords[watched],
      homeText(home, this.machine.homeDir) + (isThere ? '' : ' (none)'),
    ]);
    for (const line of table(columns, rows, this.output.columns)) this.output.print(line);
  },
});

function switchCommand(enabled: boolean): ReturnType<typeof buildCommand<Record<never, never>, [string], CliContext>> {
  return buildCommand<Record<never, never>, [string], CliContext>({
    docs: {
      brief: enabled ? 'Capture a tool' : 'Leave a tool alone; what was captured stays',
      fullDescription: 'Sets <tool>.enabled in the configuration. A running daemon takes it over by itself.',
    },
    parameters: {
      positional: { kind: 'tuple', parameters: [{ parse: String, placeholder: 'tool', brief: 'Its id or an alias' }] },
    },
    async func(_flags, name) {
      const { setWatched } = await import('../../actions/watchers.ts');
      const tool = await setWatched(await this.full(), name, enabled);
      this.output.print(
        enabled ? `${tool} is captured.` : `${tool} is not captured any more; what was captured stays.`,
      );
    },
  });
}

export const watcher = buildRouteMap({
  routes: { list, enable: switchCommand(true), disable: switchCommand(false) },
  docs: { brief: 'Which tools are captured by themselves' },
});
