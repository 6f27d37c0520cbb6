/** Resumes one recorded session in one target tool, and checks what the target's model is told. */

import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Checks, Column } from './checks.ts';
import { difference, type Reading, segments, turnOrder, withoutRepeats } from './compare.ts';
import { filesBelow, textOfFile } from './files-below.ts';
import type { HistoryItem } from './model-server/history.ts';
import type { Exchange } from './model-server/server.ts';
import { headlessTurn, pauseBeforeResume, type Recording } from './record.ts';
import { continuations, type Scenario } from './scenarios.ts';
import { finalText, type ScriptTurn } from './script.ts';
import { importAll, list, type Listed, type Resumed, resume, spokenIds } from './sfs.ts';
import type { Tool } from './tools.ts';
import type { World } from './world.ts';

/** What a pair is about. The world holds the recorded session, already imported. */
export type Pair = {
  readonly world: World;
  readonly scenario: Scenario;
  readonly source: Recording;
  readonly target: Tool;
  readonly checks: Checks;
};

/** Messages that the three continuations add: three prompts, three answers, and one call with its result; context the tool injects aside. */
const continuationMessages = { main: { least: 8, most: 9 }, other: { least: 2, most: 2 } } as const;

/** Milliseconds for a picker to show its list. */
const listingPatience = 30_000;

/** Runs the pair. Failed checks are collected; an unexpected end (a program that fails) is one more failed check. */
export async function runPair(pair: Pair): Promise<void> {
  const { world, scenario, source, target, checks } = pair;
  const name = `${source.tool.id} → ${target.id}`;
  const main = scenario.name === 'main';
  const column = (wanted: Column): Column => (main ? wanted : (scenario.elements[0]?.name as Column));
  const check = (wanted: Column, ok: boolean, why: () => string) => checks.check(name, column(wanted), ok, why);
  try {
    const origin = await sourceSession(pair, check);
    const before = await list(world);
    const saidBefore = await spokenIds(world, origin.session_id);
    const resumed = await resume(world, origin.session_id, target.id);
    checkResumed(pair, resumed, check);
    if (main) await checkListing(pair, origin.title, check);

    const turns = main ? continuations : continuations.slice(0, 1);
    const said: HistoryItem[] = [...withoutRepeats(source.oracle)];
    for (const [round, turn] of turns.entries()) {
      if (round > 0) await pauseBeforeResume(target);
      const exchange = await headlessTurn(world, target, resumed.command, turn, false);
      checkHistory(pair, said, turn, exchange, round === 0 ? undefined : 'resumed again', check);
      said.push({ kind: 'user', text: turn.prompt }, { kind: 'assistant', text: finalText(turn) });
    }
    await checkLineage(pair, origin, before, saidBefore, resumed, check);
  } catch (error) {
    check('order', false, () => (error instanceof Error ? error.message : String(error)));
  }
}

type Check = (column: Column, ok: boolean, why: () => string) => boolean;

/** The captured source session. On the diagonal its native files are deleted first, as a vendor's clean-up does. */
async function sourceSession({ world, source, target }: Pair, check: Check): Promise<Listed> {
  const find = async () => {
    const sessions = await list(world);
    const found = sessions.find(({ tool, native_id }) => tool === source.tool.id && native_id === source.nativeId);
    if (found === undefined) throw new Error(`sfs list does not show ${source.tool.id} session ${source.nativeId}`);
    return found;
  };
  if (target.id !== source.tool.id) return find();

  await deleteNativeFiles(world, source);
  await importAll(world);
  const ghost = await find();
  check('lineage', ghost.ghost, () => "the session's native files were deleted, but it is not listed as a ghost");
  return ghost;
}

async function deleteNativeFiles({ home }: World, { tool, nativeId }: Recording): Promise<void> {
  for (const path of filesBelow(home)) {
    const file = join(home, path);
    if (tool.drive.sessionOf(path, textOfFile(file)) === nativeId) await rm(file);
  }
}

function checkResumed({ world, source, target }: Pair, resumed: Resumed, check: Check): void {
  const { tool, native_id, cwd, command, files } = resumed;
  check('order', tool === target.id, () => `sfs resume --json says tool "${tool}"`);
  check('order', cwd === world.project, () => `sfs resume --json says cwd "${cwd}", not ${world.project}`);
  const program = target.drive.program;
  check(
    'order',
    command[0] === program,
    () => `sfs resume --json gives command ${JSON.stringify(command)}, not one of ${program}`,
  );
  const missing = files.filter((file) => !existsSync(isAbsolute(file) ? file : join(world.home, file)));
  check(
    'order',
    files.length > 0 && missing.length === 0,
    () => `files placed: ${files.length}, of them missing: ${missing.join(', ')}`,
  );
  const same = native_id === source.nativeId;
  const diagonal = target.id === source.tool.id;
  check('lineage', native_id !== '' && same === diagonal, () =>
    diagonal
      ? `restored as ${native_id}, not under its own id ${source.nativeId}`
      : `converted under the source's id ${native_id}`,
  );
}

/** The target's own list or picker shows the session under its title. */
async function checkListing({ world, target }: Pair, title: string, check: Check): Promise<void> {
  const { listing } = target.drive;
  // Pickers cut long titles; this much fits each of them.
  const wanted = title.slice(0, 28).trim();
  if (!check('listed', wanted !== '', () => 'sfs list --json shows no title')) return;
  if (listing.by === 'print') {
    const { stdout, stderr } = await world.run(listing.argv);
    const printed = `${stdout}${stderr}`;
    check(
      'listed',
      printed.includes(wanted),
      () => `"${wanted}" is not in the output of ${listing.argv.join(' ')}:\n${printed}`,
    );
    return;
  }
  const terminal = await world.open(listing.argv);
  const pattern = new RegExp(wanted.replace(/[^A-Za-z0-9]/g, '\\$&'));
  const shown = await terminal.shows(`"${wanted}" in ${listing.argv.join(' ')}`, pattern, listingPatience).then(
    () => undefined,
    (error: unknown) => String(error),
  );
  check('listed', shown === undefined, () => shown ?? '');
  await terminal.press(listing.leave);
  await terminal.close();
}

/** Compares one recorded request with everything said so far. `as` puts all its checks into one column. */
function checkHistory(
  { scenario, source, target }: Pair,
  said: readonly HistoryItem[],
  turn: ScriptTurn,
  exchange: Exchange,
  as: Column | undefined,
  check: Check,
): void {
  const reading = readingOf(source.tool, target);
  const expected = segments([...said, { kind: 'user', text: turn.prompt }], reading);
  const got = segments(promptedPart(exchange.history, turn, reading), reading);
  for (const segment of expected) {
    const element = scenario.elements.find((each) => each.turn === segment.turn)?.name as Column | undefined;
    const found = difference(
      segment,
      got.find((each) => each.turn === segment.turn),
      reading,
    );
    check(as ?? element ?? 'order', found === undefined, () => {
      const { expected: wanted = '', got: instead = '' } = found ?? {};
      return `turn "${segment.turn}", request ${exchange.number}\n    expected ${wanted}\n    got      ${instead}`;
    });
  }
  const order = { expected: turnOrder(expected), got: turnOrder(got) };
  check(
    as ?? 'order',
    order.expected === order.got,
    () => `order of turns\n    expected ${order.expected}\n    got      ${order.got}`,
  );
  check(
    'valid',
    exchange.violations.length === 0,
    () => `request ${exchange.number}: ${exchange.violations.join('; ')}`,
  );
}

/** The history up to the prompt of the turn, that prompt included. */
function promptedPart(history: readonly HistoryItem[], turn: ScriptTurn, { spoken }: Reading): readonly HistoryItem[] {
  const prompt = history.findLastIndex((item) => item.kind === 'user' && spoken(item.text).includes(turn.prompt));
  return history.slice(0, prompt + 1);
}

function readingOf(source: Tool, target: Tool): Reading {
  return {
    spoken: (text) => target.drive.spoken(source.drive.spoken(text)),
    marksErrors: source.drive.protocol === target.drive.protocol || target.drive.protocol !== 'openai-responses',
  };
}

/** The continuation is captured: the same session has grown, or there is one child; a second import adds nothing. */
async function checkLineage(
  { world, scenario, source, target }: Pair,
  origin: Listed,
  before: readonly Listed[],
  saidBefore: ReadonlySet<string>,
  resumed: Resumed,
  check: Check,
): Promise<void> {
  await importAll(world);
  const after = await list(world);
  const known = new Set(before.map(({ session_id }) => session_id));
  const added = after.filter(({ session_id }) => !known.has(session_id));
  const own = scenario.name === 'main' ? continuationMessages.main : continuationMessages.other;
  const within = (count: number) => count >= own.least && count <= own.most;

  if (target.id === source.tool.id) {
    const grown = after.find(({ session_id }) => session_id === origin.session_id);
    const growth = (await spokenIds(world, origin.session_id)).difference(saidBefore).size;
    check(
      'lineage',
      added.length === 0,
      () => `the same session should have grown, but these are new: ${JSON.stringify(added)}`,
    );
    check(
      'lineage',
      within(growth),
      () => `the session grew by ${growth} messages, not by ${own.least} to ${own.most}`,
    );
    check('lineage', grown?.ghost === false, () => 'the restored session is still listed as a ghost');
  } else {
    const child = added.find(({ native_id }) => native_id === resumed.native_id);
    check('lineage', added.length === 1, () => `one child should be new, but these are: ${JSON.stringify(added)}`);
    check('lineage', child?.tool === target.id, () => `no ${target.id} session ${resumed.native_id} is listed`);
    check(
      'lineage',
      child?.parent_session_id === origin.session_id,
      () => `the child's parent is ${child?.parent_session_id}, not ${origin.session_id}`,
    );
    const count = child === undefined ? 0 : (await spokenIds(world, child.session_id)).difference(saidBefore).size;
    check('lineage', within(count), () => `the child counts ${count} own messages, not ${own.least} to ${own.most}`);
  }
  const lost = before.filter(({ session_id }) => !after.some((each) => each.session_id === session_id));
  check('lineage', lost.length === 0, () => `no longer listed: ${JSON.stringify(lost)}`);

  await importAll(world);
  const counts = (sessions: readonly Listed[]) =>
    sessions
      .map(({ session_id, message_count }) => `${session_id} ${message_count}`)
      .toSorted()
      .join('\n');
  const settled = await list(world);
  check(
    'settled',
    counts(settled) === counts(after),
    () => `a second import changed the list\n${counts(after)}\nto\n${counts(settled)}`,
  );
}
