/** Writes a recorded session as a fixture: the tool's files and the oracle, without scratch paths and vendors' prompts. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { filesBelow } from './files-below.ts';
import type { Recording } from './record.ts';
import type { Scenario } from './scenarios.ts';
import type { Tool } from './tools.ts';
import type { World } from './world.ts';

/** Where a fixture's home and project seem to lie. */
const pretended = { home: '/home/me', project: '/home/me/orchard' } as const;

/** Strings longer than this are never scripted: they are the vendor's own. */
const longestKept = 1500;

/**
 * Writes below `folder/<tool>/<version>/<scenario>/`: `home/` with the session files, `history.json` with what the tool's model
 * saw. Scratch paths become `/home/me`, long vendor texts a short filler; the structure stays.
 */
export async function writeFixture(
  folder: string,
  world: World,
  recording: Recording & { readonly tool: Tool },
  scenario: Scenario,
): Promise<void> {
  const { tool, oracle, nativeId } = recording;
  const place = join(folder, tool.id, tool.version, scenario.name);
  const rename = renaming(world);
  const { keep, vendorKeys } = tool.drive.fixture;
  for (const path of filesBelow(world.home).filter((each) => keep.test(each))) {
    const text = readFileSync(join(world.home, path), 'utf8');
    const clean = text
      .split('\n')
      .map((line) => rename(cleanJson(line, vendorKeys)))
      .join('\n');
    await write(join(place, 'home', rename(path)), clean);
  }
  const history = { tool: tool.id, native_id: nativeId, items: oracle };
  await write(
    join(place, 'history.json'),
    `${rename(JSON.stringify(shortened(history, new Set(), false), null, 1))}\n`,
  );
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

/** Replaces the world's paths, also where a tool has turned one into a folder name or a hash. */
function renaming({ home, project }: World): (text: string) => string {
  const forms: readonly ((path: string) => string)[] = [
    (path) => path,
    (path) => path.replace(/[^A-Za-z0-9]/g, '-'),
    (path) => createHash('sha256').update(path).digest('hex'),
  ];
  const pairs = forms.flatMap((form) => [
    [form(project), form(pretended.project)] as const,
    [form(home), form(pretended.home)] as const,
    [form(dirname(home)), form(pretended.home)] as const,
  ]);
  return (text) => pairs.reduce((rest, [from, to]) => rest.replaceAll(from, to), text);
}

/** One JSON line with the vendor's texts shortened; lines that are no JSON stay. */
function cleanJson(line: string, vendorKeys: readonly string[]): string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return line;
  }
  return JSON.stringify(shortened(value, new Set(vendorKeys), false));
}

/** Below a vendor key every string of a sentence's length is shortened; elsewhere only very long ones. */
function shortened(value: unknown, vendorKeys: ReadonlySet<string>, vendors: boolean): unknown {
  if (typeof value === 'string') {
    const limit = vendors ? 60 : longestKept;
    return value.length > limit ? `${value.slice(0, 24)}… [${value.length} characters]` : value;
  }
  if (Array.isArray(value)) return value.map((each) => shortened(each, vendorKeys, vendors));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, shortened(each, vendorKeys, vendors || vendorKeys.has(key))]),
  );
}
