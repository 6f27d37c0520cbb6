/** `sfs tools` */

import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';

export const tools = buildCommand<{ readonly json: boolean }, [], CliContext>({
  docs: {
    brief: 'The coding tools: installed, where, captured',
    fullDescription:
      'Says too which of them delete their own sessions after a while, and what to set so that they do not.',
  },
  parameters: { flags: { json: { kind: 'boolean', brief: 'As JSON', default: false } } },
  async func(flags) {
    const { isShort, listTools } = await import('../../actions/tools.ts');
    const found = await listTools(await this.full());
    if (flags.json) return this.output.print(JSON.stringify(found, null, 2));
    const [{ table }, { homeText }] = await Promise.all([import('../render/table.ts'), import('../render/text.ts')]);
    const rows = found.map((tool) => [
      tool.tool,
      tool.installed ? (tool.version ?? 'yes') : 'not installed',
      tool.enabled ? String(tool.captured) : 'off',
      tool.can_resume ? 'yes' : 'no',
      homeText(tool.home, this.machine.homeDir) + (tool.home_exists ? '' : ' (none)'),
    ]);
    const columns = [
      { heading: 'TOOL' },
      { heading: 'INSTALLED' },
      { heading: 'CAPTURED', align: 'right' as const },
      { heading: 'RESUME', gives: 2 },
      { heading: 'SESSIONS IN', flexible: true as const, least: 12, gives: 1 },
    ];
    for (const line of table(columns, rows, this.output.columns)) this.output.print(line);
    const { retentionText } = await import('../render/retention.ts');
    const short = found.flatMap((tool) =>
      tool.home_exists && tool.retention !== null && isShort(tool.retention)
        ? [retentionText(tool.name, tool.retention, this.machine.homeDir)]
        : [],
    );
    if (short.length > 0) this.output.print(`\n${short.join('\n')}\nWhat was captured stays here all the same.`);
  },
});
