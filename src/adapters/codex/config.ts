/** What of the person's own `config.toml` matters to us: which provider is active and where the databases lie. */

import { parse } from 'smol-toml';
import type { Machine } from '../../io/machine.ts';
import { isObject, objectAt, stringAt } from '../../model/json.ts';

/** `config.toml`, as far as it matters here. */
export interface CodexConfig {
  /** The provider a new session gets. Codex refuses to resume a thread of another one (0.169). */
  readonly provider: string;
  /** The folder of `state_<n>.sqlite`. */
  readonly databases: string;
}

/** The configuration of a home; a missing or broken file is like an empty one (Codex itself then says so). */
export function readConfig(machine: Machine, home: string): CodexConfig {
  const config = parseToml(machine.readText(`${home}/config.toml`));
  const profile = stringAt(config, 'profile');
  const chosen = profile === undefined ? undefined : objectAt(objectAt(config, 'profiles'), profile);
  return {
    provider: stringAt(chosen, 'model_provider') ?? stringAt(config, 'model_provider') ?? 'openai',
    databases: stringAt(config, 'sqlite_home') ?? machine.env['CODEX_SQLITE_HOME'] ?? home,
  };
}

function parseToml(text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {};
  try {
    const value: unknown = parse(text);
    return isObject(value) ? value : {};
  } catch {
    // Not TOML: Codex does not start with it either and names the line; the defaults are the best guess.
    return {};
  }
}
