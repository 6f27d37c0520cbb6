/** `config.toml`: read leniently about what is missing, strictly about what is wrong; edited with its comments kept. */

import { parse } from 'smol-toml';
import { SessionFsError, messageOf } from '../errors.ts';
import { exists, makeFolder, readBytes, replaceFile } from '../io/files.ts';
import { isObject } from '../model/json.ts';
import type { Store } from '../store/store.ts';

/** What the file says; a tool's section may be named by its id or an alias, with `_` for `-`. */
export interface Config {
  readonly tools: { readonly [section: string]: ToolConfig };
  /** The whole file as a value. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** One tool's section. */
export interface ToolConfig {
  /** Absent: captured when installed. */
  readonly enabled?: boolean;
  /** Where the tool keeps its sessions; `~` is the home directory. */
  readonly home_dir?: string;
}

/** The configuration; everything at its default when there is no file. Throws `invalid-config` naming file and key. */
export function readConfig(store: Store): Config {
  const text = configText(store);
  return text === undefined ? { tools: {}, raw: {} } : decodeConfig(text, store.config);
}

/** The file's text; `undefined` when there is none. */
export function configText(store: Store): string | undefined {
  return exists(store.config) ? readBytes(store.config).toString('utf8') : undefined;
}

/**
 * Sets one dotted key, keeping comments and order; mode 0600. The value is read as TOML (`true`, `5`, `"text"`, `[1, 2]`),
 * else as plain text. Returns the value set.
 */
export async function setConfig(store: Store, key: string, value: string): Promise<unknown> {
  const parts = key.split('.');
  if (!parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part))) {
    throw new SessionFsError(
      'usage',
      `${JSON.stringify(key)} is not a key`,
      'name it like codex.enabled: sfs config set codex.enabled false',
    );
  }
  const text = configText(store) ?? '';
  const before = decodeConfig(text, store.config).raw;
  const parsed = valueOf(value);
  const changed = withValue(before, parts, parsed, key);
  const { patch } = await import('@decimalturn/toml-patch');
  const edited = patch(text, changed);
  decodeConfig(edited, store.config);
  makeFolder(store.root);
  replaceFile(store.config, edited);
  return parsed;
}

function decodeConfig(text: string, path: string): Config {
  let raw: Record<string, unknown>;
  try {
    raw = parse(text);
  } catch (cause) {
    throw new SessionFsError(
      'invalid-config',
      `${path}: ${messageOf(cause).split('\n')[0] ?? ''}`,
      `correct it with an editor: ${path}`,
      cause,
    );
  }
  const tools: Record<string, ToolConfig> = {};
  for (const [section, value] of Object.entries(raw)) {
    if (!isObject(value)) continue;
    const { enabled, home_dir: home } = value;
    if (enabled !== undefined && typeof enabled !== 'boolean')
      throw wrong(path, `${section}.enabled`, 'true or false', `sfs config set ${section}.enabled true`);
    if (home !== undefined && typeof home !== 'string')
      throw wrong(path, `${section}.home_dir`, 'a path', `sfs config set ${section}.home_dir /path/to/home`);
    tools[section.replaceAll('_', '-')] = {
      ...(enabled === undefined ? {} : { enabled }),
      ...(home === undefined ? {} : { home_dir: home }),
    };
  }
  return { tools, raw };
}

function wrong(path: string, key: string, what: string, hint: string): SessionFsError {
  return new SessionFsError('invalid-config', `${path}: ${key} must be ${what}`, hint);
}

function valueOf(text: string): unknown {
  try {
    return parse(`value = ${text}`)['value'];
  } catch {
    // Not a TOML value: plain text, as people type it.
    return text;
  }
}

function withValue(
  table: Readonly<Record<string, unknown>>,
  parts: readonly string[],
  value: unknown,
  key: string,
): Record<string, unknown> {
  const [first, ...rest] = parts;
  if (first === undefined) return { ...table };
  if (rest.length === 0) return { ...table, [first]: value };
  const below = table[first] ?? {};
  if (!isObject(below))
    throw new SessionFsError(
      'usage',
      `${first} holds a value, so ${key} cannot be set below it`,
      'show what is set: sfs config show',
    );
  return { ...table, [first]: withValue(below, rest, value, key) };
}
