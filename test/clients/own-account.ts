/** Compares what a tool itself tells of a session of its own with what was captured of it. */

import { readdirSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Account, OwnSession } from '../../src/adapters/drive.ts';
import type { JsonRpc } from './json-rpc.ts';
import { adapters } from '../../src/adapters/index.ts';
import { isOlder } from '../../src/adapters/shared/version.ts';
import type { Checks } from './checks.ts';
import { filesBelow } from './files-below.ts';
import { type Fields, fields, rows, string } from './model-server/json.ts';
import { importAll, list, shownCost, shownMessages } from './sfs.ts';
import type { Tool } from './tools.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

/** Milliseconds for the program to tell what it does not tell in its answers. */
const patience = 10_000;

/** Native files to look into: those of `folder`, put at `home` below the world's home. */
export type Recorded = {
  readonly name: string;
  readonly folder: string;
  readonly home: string;
  /** Paths below `folder` that are session files. */
  readonly keep: (path: string) => boolean;
  /** Does the tool refuse them? */
  readonly refused: boolean;
};

/** What a tool of this run has just recorded. */
export function justRecorded(name: string, home: string, { drive }: Tool): Recorded {
  return {
    name: `account.${name}`,
    folder: home,
    home: '.',
    keep: (path) => drive.fixture.keep.test(path),
    refused: false,
  };
}

/** The recordings in the tool's adapter folder, which are laid out as its home and named by their version. */
export function recordedFixtures({ id, drive }: Tool): readonly Recorded[] {
  const { account } = drive;
  const folder = fileURLToPath(new URL(`../../src/adapters/${id}/fixtures/`, import.meta.url));
  const home = adapters.find((adapter) => adapter.id === id)?.home.default.linux;
  if (account === undefined || home === undefined) return [];
  return readdirSync(folder)
    .filter((name) => /^\d/.test(name))
    .map((name) => ({
      name: `account.${id}.${name}`,
      folder: join(folder, name),
      home,
      keep: (path) => drive.fixture.keep.test(join(home, path)),
      refused: isOlder(name, account.oldest),
    }));
}

/** Asks the tool, in a fresh world, for each session of a recording, and checks it against what is captured there. */
export async function checkAccount(world: World, tool: Tool, recorded: Recorded, checks: Checks): Promise<void> {
  const { account } = tool.drive;
  if (account === undefined) return;
  await world.install(tool);
  for (const path of filesBelow(recorded.folder).filter(recorded.keep)) {
    const file = join(world.home, recorded.home, path);
    await mkdir(dirname(file), { recursive: true });
    await cp(join(recorded.folder, path), file, { preserveTimestamps: true });
  }
  await importAll(world);
  const sessions = (await list(world)).filter((each) => each.tool === tool.id);
  const check = (ok: boolean, why: () => string) => checks.check(recorded.name, 'account', ok, why);
  check(sessions.length > 0, () => 'no session was captured');
  const rpc = world.ask(account.argv);
  try {
    await rpc.call(account.greeting.method, account.greeting.params);
    rpc.notify(account.greeting.notice);
    for (const { session_id, native_id } of sessions) {
      const own = await ownSession(rpc, account, native_id).catch((error: unknown) => String(error));
      if (typeof own === 'string' || recorded.refused) {
        check(typeof own === 'string' && recorded.refused, () => `${native_id}: ${JSON.stringify(own)}`);
        continue;
      }
      const captured = { messages: await shownMessages(world, session_id), cost: await shownCost(world, session_id) };
      const found = differences(own, account, captured);
      check(found.length === 0, () => `${native_id}: ${found.join('; ')}`);
    }
  } finally {
    rpc.close();
  }
}

async function ownSession(rpc: JsonRpc, account: Account, nativeId: string): Promise<OwnSession> {
  const answers: unknown[] = [];
  for (const { method, params } of account.calls(nativeId)) answers.push(await rpc.call(method, params));
  return until(`all that is told of ${nativeId}`, () => account.read(answers, rpc.notices), patience);
}

/** The messages of `sfs show --messages --json`, and the tokens by model of `sfs show --cost --json`. */
type Captured = { readonly messages: readonly Fields[]; readonly cost: readonly Fields[] };

/** Every difference, a sentence each. */
function differences(own: OwnSession, account: Account, captured: Captured): readonly string[] {
  const line = lineOf(captured.messages);
  const blocks = line.flatMap((message) =>
    rows(message['content']).map((block) => ({
      role: string(message['role']),
      isMeta: message['is_meta'] === true,
      block,
    })),
  );
  const texts = (wanted: string) =>
    blocks.flatMap(({ role, isMeta, block }) =>
      role === wanted && !isMeta && block['type'] === 'text' ? [squash(string(block['text']))] : [],
    );
  const prompts = texts('user');
  const images = blocks.filter(({ role, isMeta, block }) => role === 'user' && !isMeta && block['type'] === 'image');
  const results = new Map(
    blocks.flatMap(({ block }) =>
      block['type'] === 'tool_result' ? [[block['tool_use_id'], string(block['content'])]] : [],
    ),
  );
  const calls = blocks.flatMap(({ block }) =>
    block['type'] === 'tool_use' ? [{ id: string(block['tool_use_id']), name: string(block['name']) }] : [],
  );
  return [
    ...listed('prompts', own.prompts.map(squash), withoutSummaries(prompts, own), own.isWhole),
    ...listed('answers', own.answers.map(squash), texts('assistant'), own.isWhole),
    ...(own.isWhole && own.images !== images.length ? [`${own.images} images, captured ${images.length}`] : []),
    ...own.calls.filter((id) => !calls.some((call) => call.id === id)).map((id) => `the call ${id} was not captured`),
    ...calls
      .filter(({ id }) => own.isWhole && !own.calls.includes(id))
      .filter(({ id, name }) => !account.hides({ id, name, result: results.get(id), isLegacy: own.isLegacy }))
      .map(({ id, name }) => `it does not tell of the call ${id} (${name})`),
    ...usage(own, captured),
  ];
}

/** The conversation up to where it goes on, also what the model no longer sees, and what a script called within it. */
function lineOf(shown: readonly Fields[]): readonly Fields[] {
  const byId = new Map(shown.map((message) => [message['msg_id'], message]));
  const line = new Set<Fields>();
  const leaf = shown.findLast((message) => message['live'] === true);
  for (let at = leaf; at !== undefined && !line.has(at); at = byId.get(at['parent_msg_id'])) line.add(at);
  const inside = (message: Fields) => fields(message['metadata'])['inside'] !== undefined;
  return shown.filter((message) => line.has(message) || inside(message));
}

function listed(what: string, own: readonly string[], ours: readonly string[], isWhole: boolean): readonly string[] {
  const wanted = isWhole ? ours : ours.slice(ours.length - own.length);
  return JSON.stringify(own) === JSON.stringify(wanted)
    ? []
    : [`${what} ${JSON.stringify(own)}, captured ${JSON.stringify(wanted)}`];
}

/** A summary that SessionFS has written reads as a prompt, and is shown as a compaction. */
function withoutSummaries(ours: readonly string[], { prompts, compactions }: OwnSession): readonly string[] {
  const shown = new Set(prompts.map(squash));
  const hidden = ours.filter((text) => !shown.has(text));
  return hidden.length > compactions ? ours : ours.filter((text) => shown.has(text));
}

/** Sub-agents have an account of their own. */
function usage({ tokens, isWhole }: OwnSession, { messages, cost }: Captured): readonly string[] {
  if (tokens === undefined || !isWhole) return [];
  const sum = (of: readonly Fields[], ...names: readonly string[]) =>
    of.reduce((total, each) => names.reduce((rest, name) => rest + Number(each[name] ?? 0), total), 0);
  const aside = messages
    .filter((message) => message['is_sidechain'] === true)
    .map((message) => fields(message['usage']));
  const of = (...names: readonly string[]) => sum(cost, ...names) - sum(aside, ...names);
  const ours = { input: of('input_tokens', 'cache_read_tokens', 'cache_write_tokens'), output: of('output_tokens') };
  return JSON.stringify(tokens) === JSON.stringify(ours)
    ? []
    : [`tokens ${JSON.stringify(tokens)}, captured ${JSON.stringify(ours)}`];
}

function squash(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
