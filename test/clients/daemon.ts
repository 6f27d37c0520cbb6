/** The daemon beside the real CLIs, all in one home: what each says is in the store before its next turn begins. */

import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Checks, Column } from './checks.ts';
import { withoutRepeats } from './compare.ts';
import { filesBelow, textOfFile } from './files-below.ts';
import type { HistoryItem } from './model-server/history.ts';
import { type Fields, fields, rows, string } from './model-server/json.ts';
import type { Exchange } from './model-server/server.ts';
import { firstSession, headlessTurn, leave, pauseBeforeResume, start, typedTurn } from './record.ts';
import { onward, watched } from './scenarios.ts';
import { finalText, type ScriptTurn } from './script.ts';
import { importAll, list, type Listed, resume, shownMessages, spoken, spokenIds } from './sfs.ts';
import type { Tool } from './tools.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

/** Milliseconds for what was written to be in the store, and for the daemon to start or end. A busy machine; usually it takes a hundredth. */
const patience = { capture: 20_000, daemon: 30_000 } as const;

/** What the checks of one tool need. */
type Beside = {
  readonly world: World;
  readonly tool: Tool;
  readonly check: (column: Column, ok: boolean, why: () => string) => boolean;
};

/** Starts the daemon, lets the tools talk at the same time, and checks each turn. Throws when a program fails. */
export async function runDaemon(
  world: World,
  tools: readonly Tool[],
  checks: Checks,
  say: (line: string) => void,
): Promise<void> {
  const besides = tools.map((tool): Beside => ({
    world,
    tool,
    check: (column, ok, why) => checks.check(`sfsd beside ${tool.name}`, column, ok, why),
  }));
  for (const tool of tools) await world.install(tool);
  await withDaemon(world, async () => {
    const origins = await Promise.all(
      besides.map(async (beside) => {
        const { nativeId, delays } = await talk(beside);
        say(`sfsd beside ${beside.tool.name}: from the last native write to the commit ${delays.join(', ')} ms`);
        return captured(world, beside.tool, nativeId);
      }),
    );
    await Promise.all(besides.map((beside, at) => goOnElsewhere(beside, origins, origins.at(at - 1))));
    await settled(world, besides);
    for (const beside of besides) await takeIn(beside);
    await quiet(world, besides);
  });
  const [first] = besides;
  if (first !== undefined) await unwatched(first);
}

/** Runs the built `sfsd` while `work` goes on, and ends it as a person does. */
async function withDaemon(world: World, work: () => Promise<void>): Promise<void> {
  const ended = world.serve([process.execPath, join(dirname(world.sfs), 'sfsd.cjs')]);
  let said: string | undefined;
  const end = ended.then(({ status, stderr }) => {
    said = `sfsd ended with status ${status}: ${stderr}`;
  });
  const watching = () => {
    if (said !== undefined) throw new Error(said);
    return statusOf(world)['state'] === 'watching' ? true : undefined;
  };
  await until('sfsd to watch', watching, patience.daemon);
  try {
    await work();
  } finally {
    await world.run([process.execPath, world.sfs, 'daemon', 'stop']);
    await end;
  }
  const { status, stderr } = await ended;
  if (status !== 0) throw new Error(`sfsd ended with status ${status}: ${stderr}`);
}

/** What the daemon says of itself; empty before it has said anything. */
function statusOf(world: World): Fields {
  const text = textOfFile(join(world.store, 'daemon.json'));
  return text === '' ? {} : fields(JSON.parse(text));
}

/** Types the turns one by one; none before the store has all of those before it. Then the tool resumes its own session. */
async function talk(beside: Beside): Promise<{ readonly nativeId: string; readonly delays: readonly number[] }> {
  const { world, tool } = beside;
  const terminal = await start(world, tool);
  const delays: number[] = [];
  let nativeId = '';
  for (const [at, turn] of watched.typed.entries()) {
    const exchange = await typedTurn(world, tool, terminal, turn);
    nativeId = await firstSession(world, tool);
    delays.push(await stored(beside, nativeId, watched.typed.slice(0, at + 1), exchange));
  }
  await leave(tool, terminal);
  await pauseBeforeResume(tool);
  const exchange = await headlessTurn(world, tool, tool.drive.resume(nativeId), watched.resumed, false);
  delays.push(await stored(beside, nativeId, [...watched.typed, watched.resumed], exchange));
  return { nativeId, delays };
}

/** Waits until everything that was said is in the store, each piece once; milliseconds from the last native write to the commit that has it. */
async function stored(
  { world, tool, check }: Beside,
  nativeId: string,
  turns: readonly ScriptTurn[],
  exchange: Exchange,
): Promise<number> {
  const turn = turns.at(-1);
  const said: readonly HistoryItem[] = [
    ...withoutRepeats(exchange.history),
    ...(turn === undefined ? [] : [{ kind: 'assistant', text: finalText(turn) } as const]),
  ];
  let missing: readonly string[] = ['the session'];
  const look = async () => {
    const session = (await list(world)).find((each) => each.tool === tool.id && each.native_id === nativeId);
    if (session === undefined) return undefined;
    missing = differences(said, await shownMessages(world, session.session_id));
    return missing.length === 0 ? session : undefined;
  };
  const session = await until(`turn "${turn?.name}"`, look, patience.capture).catch(() => undefined);
  check('live', session !== undefined, () => `after turn "${turn?.name}" the store has not ${missing.join('; ')}`);
  if (session === undefined) throw new Error(`the daemon did not capture turn "${turn?.name}" of ${tool.name}`);
  return until('the newest commit', () => delayOf(world, tool, session), patience.capture);
}

/** What of it a session lacks, or has more than once. Results are told apart by their calls: their words are each tool's own. */
function differences(said: readonly HistoryItem[], shown: readonly Fields[]): readonly string[] {
  const blocks = shown
    .filter(({ is_meta }) => is_meta !== true)
    .flatMap(({ role, content }) => rows(content).map((block): Fields => ({ ...block, role })));
  const texts = (wanted: string) =>
    blocks.flatMap(({ role, type, text }) => (role === wanted && type === 'text' ? [squash(string(text))] : []));
  const of = <Kind extends HistoryItem['kind']>(kind: Kind) =>
    said.filter((item): item is Extract<HistoryItem, { kind: Kind }> => item.kind === kind);
  const called = of('call').map(({ id }) => id);
  // Gemini CLI 0.61 files a call under its name and the id that its model knows it by.
  const ids = (wanted: string) =>
    blocks
      .filter(({ type }) => type === wanted)
      .map(({ tool_use_id }) => called.find((id) => string(tool_use_id).endsWith(id)) ?? string(tool_use_id));
  return [
    ...unequal(
      'prompts',
      of('user').map(({ text }) => squash(text)),
      texts('user'),
    ),
    ...unequal(
      'answers',
      of('assistant').map(({ text }) => squash(text)),
      texts('assistant'),
    ),
    ...unequal('calls', called, ids('tool_use')),
    ...unequal(
      'results',
      of('result').map(({ id }) => id),
      ids('tool_result'),
    ),
  ];
}

function unequal(what: string, wanted: readonly string[], got: readonly string[]): readonly string[] {
  const same = JSON.stringify(wanted.toSorted()) === JSON.stringify(got.toSorted());
  return same ? [] : [`the ${what} ${JSON.stringify(wanted)} but ${JSON.stringify(got)}`];
}

function squash(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** By the times of both files; `undefined` as long as the commit does not hold all of the native one. */
function delayOf(world: World, tool: Tool, { session_id: id, native_id: nativeId }: Listed): number | undefined {
  const commit = join(world.store, 'sessions', `${id}.sfs`, 'meta', 'commit.json');
  const cursors = Object.values(fields(fields(JSON.parse(readFileSync(commit, 'utf8')))['cursors'])).map(fields);
  const committedMs = statSync(commit).mtimeMs;
  const native = filesBelow(world.home)
    .map((path) => ({ path, file: join(world.home, path) }))
    .filter(({ path, file }) => tool.drive.sessionOf(path, textOfFile(file)) === nativeId)
    .map(({ file }) => ({ file, stats: statSync(file) }));
  const isWhole = native.every(({ file, stats }) =>
    cursors.some(({ path, sizeBytes }) => path === file && sizeBytes === stats.size),
  );
  return isWhole ? Math.round(committedMs - Math.max(...native.map(({ stats }) => stats.mtimeMs))) : undefined;
}

/** The session as it is listed. Throws when it is not. */
async function captured(world: World, { id }: Tool, nativeId: string): Promise<Listed> {
  const found = (await list(world)).find(({ tool, native_id }) => tool === id && native_id === nativeId);
  if (found === undefined) throw new Error(`sfs list does not show ${id} session ${nativeId}`);
  return found;
}

/** Another tool's session goes on in this one: a child with what is said there, and no copy of what was said before. */
async function goOnElsewhere(
  { world, tool, check }: Beside,
  origins: readonly Listed[],
  origin: Listed | undefined,
): Promise<void> {
  if (origin === undefined || origins.length < 2) return;
  const resumed = await resume(world, origin.session_id, tool.id);
  await headlessTurn(world, tool, resumed.command, onward, false);
  const child = async () => {
    const found = (await list(world)).find(
      ({ native_id, tool: id }) => id === tool.id && native_id === resumed.native_id,
    );
    const texts = found === undefined ? [] : (await spoken(world, found.session_id)).map(({ text }) => text);
    return texts.some((text) => text.includes(finalText(onward))) ? found : undefined;
  };
  const found = await until('the child of a resume', child, patience.capture).catch(() => undefined);
  check(
    'lineage',
    found !== undefined,
    () => `what ${tool.name} said after the resume of ${origin.tool} is not in the list`,
  );
  if (found === undefined) return;
  const before = await spokenIds(world, origin.session_id);
  const own = (await spokenIds(world, found.session_id)).difference(before).size;
  check(
    'lineage',
    found.parent_session_id === origin.session_id && own === 2,
    () => `not a child of ${origin.session_id} with 2 messages of its own, but with ${own}: ${JSON.stringify(found)}`,
  );
}

/** One session for each that was said, and one for each resume; an import finds nothing more. */
async function settled(world: World, besides: readonly Beside[]): Promise<void> {
  const before = await list(world);
  await importAll(world);
  const after = await list(world);
  const wanted = besides.length < 2 ? 1 : 2;
  const counts = (sessions: readonly Listed[]) =>
    sessions
      .map(({ session_id, message_count }) => `${session_id} ${message_count}`)
      .toSorted()
      .join('\n');
  for (const { tool, check } of besides) {
    const own = after.filter((each) => each.tool === tool.id);
    check('lineage', own.length === wanted, () => `${own.length} sessions, not ${wanted}: ${JSON.stringify(own)}`);
    check(
      'settled',
      counts(before) === counts(after),
      () => `an import changed\n${counts(before)}\nto\n${counts(after)}`,
    );
  }
}

/** What a tool has taken in of another's sessions by itself is a child of each, with nothing of its own. */
async function takeIn({ world, tool, check }: Beside): Promise<void> {
  const { account, takesIn } = tool.drive;
  if (account === undefined || takesIn === undefined) return;
  const before = (await list(world)).filter((each) => each.tool === takesIn.from);
  const rpc = world.ask(account.argv);
  try {
    await rpc.call(account.greeting.method, account.greeting.params);
    rpc.notify(account.greeting.notice);
    const take = takesIn.take(await rpc.call(takesIn.find.method, takesIn.find.params));
    await rpc.call(take.method, take.params);
    const taken = await until('the sessions to be taken in', () => takesIn.taken(rpc.notices), patience.capture);
    check('copies', taken.length === before.length, () => `${taken.length} of ${before.length} sessions were taken in`);
    for (const { nativeId, path } of taken) {
      const parent = before.find(({ native_id }) => path.includes(native_id));
      let seen: Listed | undefined;
      const isChild = async () => {
        seen = (await list(world)).find((each) => each.tool === tool.id && each.native_id === nativeId);
        return seen !== undefined && seen.parent_session_id === parent?.session_id && seen.message_count === 0
          ? seen
          : undefined;
      };
      const child = await until('what was taken in', isChild, patience.capture).catch(() => undefined);
      check(
        'copies',
        child !== undefined,
        () => `no child of ${path} with nothing of its own: ${JSON.stringify(seen)}`,
      );
    }
    const after = (await list(world)).filter((each) => each.tool === takesIn.from);
    check(
      'copies',
      JSON.stringify(after) === JSON.stringify(before),
      () => `the originals are ${JSON.stringify(after)}`,
    );
  } finally {
    rpc.close();
  }
}

/** Nothing went wrong, and each home is watched whole. */
async function quiet(world: World, besides: readonly Beside[]): Promise<void> {
  const isDone = () => (statusOf(world)['pending'] === 0 ? statusOf(world) : undefined);
  const status = await until('nothing to be pending', isDone, patience.capture);
  for (const { tool, check } of besides) {
    const watch = rows(status['tools']).find((each) => each['tool'] === tool.id);
    check('live', watch?.['state'] === 'watched', () => `its home is ${JSON.stringify(watch)}`);
    check('live', rows(status['problems']).length === 0 && status['trouble'] === null, () => JSON.stringify(status));
  }
}

/** Without the daemon nothing is seen of a turn: the commands that were asked did not capture. With the next one it is. */
async function unwatched(beside: Beside): Promise<void> {
  const { world, tool, check } = beside;
  const origin = (await list(world)).find((each) => each.tool === tool.id && each.parent_session_id === undefined);
  if (origin === undefined) throw new Error(`sfs list shows no session of ${tool.name} without a parent`);
  await pauseBeforeResume(tool);
  await headlessTurn(world, tool, tool.drive.resume(origin.native_id), onward, false);
  const has = async () =>
    (await spoken(world, origin.session_id)).some(({ text }) => text.includes(finalText(onward))) ? true : undefined;
  check('live', (await has()) === undefined, () => 'sfs show captures what was said');
  await withDaemon(world, async () => {
    const found = await until('what was said without the daemon', has, patience.capture).catch(() => undefined);
    check('live', found === true, () => 'what was said while no daemon ran is not in the store');
  });
}
