/** Resumes one recorded session in one target tool, and checks what the target's model is told. */

import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { type Check, checkHistory } from './check-history.ts';
import type { Checks, Column } from './checks.ts';
import { withoutRepeats } from './compare.ts';
import { runExtra } from './extras.ts';
import { filesBelow, textOfFile } from './files-below.ts';
import type { HistoryItem } from './model-server/history.ts';
import { headlessTurn, pauseBeforeResume, type Recording } from './record.ts';
import { continuations, type Scenario } from './scenarios.ts';
import { finalText } from './script.ts';
import { importAll, list, type Listed, refusedResume, type Resumed, resume, spokenIds } from './sfs.ts';
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

/** Messages that the continuations add. Of the three: three prompts, three answers, and one call with its result; context the tool injects aside. */
const continuationMessages = { thorough: { least: 8, most: 9 }, brief: { least: 2, most: 2 } } as const;

/** Pickers cut long titles; so many characters fit each of them. */
const shownOfTitle = 28;

/** Milliseconds for a picker to show its list. */
const listingPatience = 30_000;

/** Runs the pair. Failed checks are collected; an unexpected end (a program that fails) is one more failed check. */
export async function runPair(pair: Pair): Promise<void> {
  const { world, scenario, source, target, checks } = pair;
  const name = `${source.tool.name} → ${target.name}`;
  const check: Check = (wanted, ok, why) => checks.check(name, columnOf(wanted, scenario), ok, why);
  try {
    await world.install(target);
    const origin = await sourceSession(pair, check);
    if (target.refused) {
      await checkRefused(pair, origin, check);
      return;
    }
    const before = await list(world);
    const saidBefore = await spokenIds(world, origin.session_id);
    const resumed = await resume(world, origin.session_id, target.id);
    checkResumed(pair, resumed, check);
    if (scenario.thorough) await checkListing(pair, origin.title, check);

    const turns = scenario.thorough ? continuations : continuations.slice(0, 1);
    const said: HistoryItem[] = [...withoutRepeats(source.oracle)];
    let summaries = 0;
    for (const [round, turn] of turns.entries()) {
      if (round > 0) await pauseBeforeResume(target);
      const { exchanges } = world.client(target);
      const asked = exchanges.length;
      const exchange = await headlessTurn(world, target, resumed.command, turn, false);
      const compaction = exchanges.slice(asked).find(({ about }) => about === 'compaction');
      const as = round === 0 ? undefined : 'resumed again';
      if (compaction !== undefined) summaries += 1;
      const through = [source.tool, target];
      if (compaction === undefined) checkHistory(pair, { said, turn, exchange, through, as }, check);
      // Too large for the target's model: it is compacted first, and that request has everything.
      else checkHistory(pair, { said, exchange: compaction, through, as }, check);
      said.push({ kind: 'user', text: turn.prompt }, { kind: 'assistant', text: finalText(turn) });
    }
    await checkLineage(pair, origin, before, { ids: saidBefore, summaries }, resumed, check);
    for (const extra of scenario.also ?? []) {
      const isOn = isDiagonal(pair) || extra.do === 'relay';
      await runExtra(pair, { origin, resumed, said: isOn ? said : [...withoutRepeats(source.oracle)] }, extra, check);
    }
  } catch (error) {
    check('order', false, () => (error instanceof Error ? error.message : String(error)));
  }
}

/** Some columns are for themselves, wherever their checks come from. */
function columnOf(wanted: Column, { column }: Scenario): Column {
  return column === undefined || wanted === 'relay' ? wanted : column;
}

/** Is it the same session that goes on? */
function isDiagonal({ source, target }: Pair): boolean {
  return source.reopens && target.id === source.tool.id;
}

/** The captured source session. On the diagonal its native files are deleted first, as a vendor's clean-up does. */
async function sourceSession(pair: Pair, check: Check): Promise<Listed> {
  const { world, source } = pair;
  const find = async () => {
    const sessions = await list(world);
    const found = sessions.find(({ tool, native_id }) => tool === source.tool.id && native_id === source.nativeId);
    if (found === undefined) throw new Error(`sfs list does not show ${source.tool.id} session ${source.nativeId}`);
    return found;
  };
  if (!isDiagonal(pair)) return find();

  await deleteNativeFiles(world, source);
  await importAll(world);
  const ghost = await find();
  check('lineage', ghost.ghost, () => "the session's native files were deleted, but it is not listed as a ghost");
  return ghost;
}

/** A version that does not load what is written is refused, and nothing is placed for it. */
async function checkRefused({ world, target }: Pair, origin: Listed, check: Check): Promise<void> {
  const before = await list(world);
  const said = await refusedResume(world, origin.session_id, target.id);
  const hint = `npm install -g ${target.drive.npmPackage}@latest`;
  check('refused', said.includes(target.version) && said.includes(hint), () => `sfs resume said: ${said}`);
  const after = await list(world);
  check(
    'refused',
    after.length === before.length,
    () => `after the refusal these are listed: ${JSON.stringify(after)}`,
  );
}

async function deleteNativeFiles({ home }: World, { tool, nativeId }: Recording): Promise<void> {
  for (const path of filesBelow(home)) {
    const file = join(home, path);
    if (tool.drive.sessionOf(path, textOfFile(file)) === nativeId) await rm(file);
  }
}

function checkResumed(pair: Pair, resumed: Resumed, check: Check): void {
  const { world, source, target } = pair;
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
  const diagonal = isDiagonal(pair);
  check('lineage', native_id !== '' && same === diagonal, () =>
    diagonal
      ? `restored as ${native_id}, not under its own id ${source.nativeId}`
      : `converted under the source's id ${native_id}`,
  );
}

/** The target's own list or picker shows the session under its title. */
async function checkListing({ world, scenario, source, target }: Pair, title: string, check: Check): Promise<void> {
  const { listing } = target.drive;
  if (!check('listed', title.trim() !== '', () => 'sfs list --json shows no title')) return;
  // A tool shows a session of its own as it pleases, some by the newest prompt; an older one has no name of its own.
  const prompts = scenario.steps.flatMap((step) => ('turn' in step ? [step.turn.prompt] : []));
  const titles = target.id === source.tool.id ? [title, ...prompts] : [title];
  const wanted = titles.map((each) => each.slice(0, shownOfTitle).trim());
  if (listing.by === 'print') {
    const { stdout, stderr } = await world.run(listing.argv);
    const printed = `${stdout}${stderr}`;
    check(
      'listed',
      wanted.some((each) => printed.includes(each)),
      () => `"${wanted.join('" or "')}" is not in the output of ${listing.argv.join(' ')}:\n${printed}`,
    );
    return;
  }
  const terminal = await world.open(listing.argv);
  const pattern = new RegExp(wanted.map((each) => each.replace(/[^A-Za-z0-9]/g, '\\$&')).join('|'));
  const shown = await terminal
    .shows(`"${wanted.join('" or "')}" in ${listing.argv.join(' ')}`, pattern, listingPatience)
    .then(
      () => undefined,
      (error: unknown) => String(error),
    );
  check('listed', shown === undefined, () => shown ?? '');
  await terminal.press(listing.leave);
  await terminal.close();
}

/** The continuation is captured: the same session has grown, or there is one child; a second import adds nothing. */
async function checkLineage(
  pair: Pair,
  origin: Listed,
  before: readonly Listed[],
  said: { readonly ids: ReadonlySet<string>; readonly summaries: number },
  resumed: Resumed,
  check: Check,
): Promise<void> {
  const { world, scenario, target } = pair;
  await importAll(world);
  const after = await list(world);
  const known = new Set(before.map(({ session_id }) => session_id));
  const added = after.filter(({ session_id }) => !known.has(session_id));
  const own = scenario.thorough ? continuationMessages.thorough : continuationMessages.brief;
  const within = (count: number) => count >= own.least && count <= own.most + said.summaries;

  if (isDiagonal(pair)) {
    const grown = after.find(({ session_id }) => session_id === origin.session_id);
    const growth = (await spokenIds(world, origin.session_id)).difference(said.ids).size;
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
    const count = child === undefined ? 0 : (await spokenIds(world, child.session_id)).difference(said.ids).size;
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
