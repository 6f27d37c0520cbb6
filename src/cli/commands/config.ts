/** `sfs config show|set|path` */

import { buildCommand, buildRouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';

const show = buildCommand<Record<never, never>, [], CliContext>({
  docs: { brief: 'Print the configuration file' },
  parameters: {},
  async func() {
    const { configText, readConfig } = await import('../../actions/config.ts');
    const text = configText(this.store);
    readConfig(this.store);
    this.output.print(text ?? `# ${this.store.config} does not exist; everything is at its default.`);
  },
});

const set = buildCommand<Record<never, never>, [string, string], CliContext>({
  docs: { brief: 'Set one key; comments stay', fullDescription: 'For example: sfs config set codex.enabled false' },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        { parse: String, placeholder: 'key', brief: 'Dotted, like codex.home_dir' },
        { parse: String, placeholder: 'value', brief: 'true, 5, text' },
      ],
    },
  },
  async func(_flags, key, value) {
    const { setConfig } = await import('../../actions/config.ts');
    this.output.print(`${key} = ${JSON.stringify(await setConfig(this.store, key, value))}`);
  },
});

const path = buildCommand<Record<never, never>, [], CliContext>({
  docs: { brief: 'Print where the configuration file is' },
  parameters: {},
  func() {
    this.output.print(this.store.config);
  },
});

export const config = buildRouteMap({ routes: { show, set, path }, docs: { brief: 'The configuration file' } });
