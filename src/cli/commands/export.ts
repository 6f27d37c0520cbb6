/** `sfs export` */

import { buildCommand } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { sessionParameter } from '../flags.ts';

interface Flags {
  readonly output: string;
  readonly format: string;
  readonly json: boolean;
}

export const exportCommand = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: 'Write a session out: sfs, html, markdown, or a tool’s own form',
    fullDescription:
      'sfs: the .sfs directory, or with --output NAME.tar.gz one file that sfs import takes in elsewhere. html: one page that loads and runs nothing. markdown: a page, its images beside it in ID.images. A tool: its own files, from the live view; for Cursor the file that its command “Import Chat” takes. Nothing that is there is replaced.',
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [sessionParameter],
    },
    flags: {
      output: {
        kind: 'parsed',
        parse: String,
        brief: 'The folder to write into; with sfs also NAME.tar.gz',
        placeholder: 'dir',
        default: '.',
      },
      format: { kind: 'parsed', parse: String, brief: 'sfs, html, markdown, or a tool', default: 'sfs' },
      json: { kind: 'boolean', brief: 'As JSON', default: false },
    },
    aliases: { o: 'output' },
  },
  async func(flags, argument) {
    const { exportSession } = await import('../../actions/export.ts');
    const exported = await exportSession(await this.full(), {
      session: argument,
      format: flags.format,
      output: flags.output,
    });
    if (flags.json) return this.output.print(JSON.stringify(exported, null, 2));
    for (const file of exported.files) this.output.print(file);
    for (const [index, step] of (exported.next ?? []).entries()) this.output.remark(`${index + 1}. ${step}\n`);
    const lost = Object.entries(exported.losses);
    if (lost.length > 0)
      this.output.remark(`Not carried: ${lost.map(([name, count]) => `${name} ×${count}`).join(', ')}\n`);
  },
});
