/** `sfs storage` */

import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { jsonFlag, wholeNumber } from '../flags.ts';

interface Flags {
  readonly limit: number;
  readonly json: boolean;
}

export const storage = buildCommand<Flags, [], CliContext>({
  docs: {
    brief: 'What the store takes on the disk',
    fullDescription: 'By part, tool, project and session; bytes as du counts them. To make room: sfs prune',
  },
  parameters: {
    flags: {
      limit: { kind: 'parsed', parse: wholeNumber, brief: 'So many projects and sessions', default: '10' },
      json: jsonFlag,
    },
    aliases: { n: 'limit' },
  },
  async func({ limit, json }) {
    const [{ weighStore }, { countingLine }] = await Promise.all([
      import('../../actions/storage.ts'),
      import('../render/counting.ts'),
    ]);
    const counting = countingLine(this.output, 'Weighed');
    const found = await weighStore(this, limit, counting.show).finally(counting.clear);
    if (json) return this.output.print(JSON.stringify(found ?? null, null, 2));
    if (found === undefined) return this.output.print('Nothing has been captured yet: sfs import');
    const { storageLines } = await import('../render/storage.ts');
    const view = { now: this.machine.now(), homeDir: this.machine.homeDir, width: this.output.columns };
    for (const line of storageLines(found, view)) this.output.print(line);
  },
});
