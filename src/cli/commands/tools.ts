/** `sfs tools` */

import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';

export const tools = buildCommand<{ readonly json: boolean }, [], CliContext>({
  docs: { brief: 'The coding tools: installed, where, captured' },
  parameters: { flags: { json: { kind: 'boolean', brief: 'As JSON', default: false } } },
  async func(flags) {
    const { listTools } = await import('../../actions/tools.ts');
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
  },
});
