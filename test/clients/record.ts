/** Drives a tool's real CLI through a scenario and keeps what it told its model: the oracle of the matrix. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, textOfFile } from './files-below.ts';
import type { HistoryItem } from './model-server/history.ts';
import type { Exchange } from './model-server/server.ts';
import { holdingFile, type Scenario } from './scenarios.ts';
import { finalText, marker, type ScriptTurn } from './script.ts';
import { checkpoint, importAll, list } from './sfs.ts';
import type { Terminal } from './terminal.ts';
import type { Tool } from './tools.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

/** Milliseconds that a real CLI on a busy machine may need to start, and to run a turn. */
const patience = { start: 90_000, turn: 120_000, key: 3_000 } as const;

/** What is asked of the tool that a session comes from, once it is recorded. */
export type Speaker = Pick<Tool, 'id' | 'name'> & {
  readonly drive: Pick<Tool['drive'], 'protocol' | 'spoken' | 'cut' | 'sessionOf'>;
};

/** A source session. */
export type Recording = {
  readonly tool: Speaker;
  readonly nativeId: string;
  /** What the tool's last request held, and its answer. */
  readonly oracle: readonly HistoryItem[];
  /** False for a named snapshot: its tool does not go on with it by its id. */
  readonly reopens: boolean;
};

/** Runs the scenario in the world with the tool's real CLI. Throws, with the screen, when the CLI does something else. */
export async function record(
  world: World,
  tool: Tool,
  scenario: Scenario,
): Promise<Recording & { readonly tool: Tool; readonly last: Exchange }> {
  await world.install(tool);
  let terminal: Terminal | undefined;
  let nativeId: string | undefined;
  let spoken: ScriptTurn | undefined;
  for (const step of scenario.steps) {
    if (step.do === 'resume' || step.do === 'checkpoint') {
      if (nativeId === undefined) throw new Error(`a scenario cannot begin with a ${step.do}`);
      if (terminal !== undefined) await leave(tool, terminal);
      terminal = undefined;
    }
    if (step.do === 'checkpoint') {
      await importAll(world);
      await checkpoint(world, nativeId ?? '', step.name);
    } else if (step.do === 'resume') {
      await pauseBeforeResume(tool);
      await headlessTurn(world, tool, tool.drive.resume(nativeId ?? ''), step.turn, step.withImage === true);
    } else {
      terminal ??= await start(world, tool);
      if (step.do === 'type') await typedTurn(world, tool, terminal, step.turn);
      if (step.do === 'interrupt') await interruptedTurn(world, tool, terminal, step.turn);
      if (step.do === 'compact') await compact(world, tool, terminal);
      if (step.do === 'snapshot') await saveSnapshot(tool, terminal, step.name);
    }
    nativeId ??= await firstSession(world, tool);
    if ('turn' in step) spoken = step.turn;
  }
  if (terminal !== undefined) await leave(tool, terminal);
  if (nativeId === undefined || spoken === undefined) throw new Error(`the scenario ${scenario.name} says nothing`);

  const saved = scenario.steps.find((step) => step.do === 'snapshot');
  if (saved !== undefined) nativeId = await idOfSnapshot(world, tool, saved.name);
  const last = await lastRequest(world, tool, spoken);
  return {
    tool,
    nativeId,
    last,
    reopens: saved === undefined,
    oracle: [...last.history, { kind: 'assistant', text: finalText(spoken) }],
  };
}

/** Lets a new minute begin where the tool needs that between two starts on one session. */
export async function pauseBeforeResume({ drive }: Tool): Promise<void> {
  if (drive.resumesByTheMinute === undefined) return;
  const minute = () => Math.floor(Date.now() / 60_000);
  const begun = minute();
  await until('the next minute', () => (minute() > begun ? true : undefined), 90_000);
}

/** One headless turn of a resume argv; resolves with its last request. Throws when the CLI fails. */
export async function headlessTurn(
  world: World,
  tool: Tool,
  resume: readonly string[],
  turn: ScriptTurn,
  withImage: boolean,
): Promise<Exchange> {
  const prompt = withImage ? { text: turn.prompt, image: world.image } : { text: turn.prompt };
  const { argv, stdin } = tool.drive.headless(resume, prompt);
  const { status, stdout, stderr } = await world.run(argv, stdin);
  if (status !== 0) {
    throw new Error(`${argv.join(' ')} ended with status ${status}\n${stdout.slice(-1500)}\n${stderr.slice(-1500)}`);
  }
  return lastRequest(world, tool, turn);
}

/** The request that the last reply of the turn answered. */
function lastRequest(world: World, tool: Tool, turn: ScriptTurn): Promise<Exchange> {
  const wanted = ({ turn: name, last, history }: Exchange) =>
    name === turn.name && last === true && (turn.awaits === undefined || holds(history, turn.awaits));
  return world.client(tool).request(`the last request of turn "${turn.name}"`, wanted, patience.turn);
}

function holds(history: readonly HistoryItem[], words: string): boolean {
  return history.some((item) => 'text' in item && item.text.includes(words));
}

/** Opens the interactive tool and waits until it takes prompts. */
export async function start(world: World, tool: Tool): Promise<Terminal> {
  const terminal = await world.open(tool.drive.interactive);
  await terminal.shows(`${tool.id} to be ready`, tool.drive.screen.ready, patience.start);
  const asked = () => (existsSync(world.groveListed) ? true : undefined);
  if (world.scratch(tool).mcp !== undefined)
    await until(`${tool.id} to ask its MCP server for tools`, asked, patience.start);
  return terminal;
}

/** Types the prompt of a turn and waits until it is over, on the screen too; its last request. */
export async function typedTurn(world: World, tool: Tool, terminal: Terminal, turn: ScriptTurn): Promise<Exchange> {
  await submit(world, tool, terminal, turn);
  const last = await lastRequest(world, tool, turn);
  // One answer on the screen for each request that was answered with it.
  const answers = world
    .client(tool)
    .exchanges.filter((exchange) => exchange.turn === turn.name && exchange.last === true);
  const all = answers.map(() => literally(finalText(turn)).source).join('[^]*');
  await terminal.shows(`the answer "${finalText(turn)}"`, new RegExp(all), patience.turn);
  await terminal.hides(`${tool.id} to be idle`, tool.drive.screen.busy, patience.turn);
  return last;
}

async function interruptedTurn(world: World, tool: Tool, terminal: Terminal, turn: ScriptTurn): Promise<void> {
  await submit(world, tool, terminal, turn);
  if (turn.replies.flat().some(({ type }) => type === 'stall')) {
    const [begun = ''] = finalText(turn).split('\n');
    await terminal.shows('the beginning of the answer', literally(begun), patience.turn);
  } else {
    const runs = () => (existsSync(join(world.project, holdingFile)) ? true : undefined);
    await until(`the call of turn "${turn.name}" to run`, runs, patience.turn);
    await terminal.shows(`${tool.id} to be busy`, tool.drive.screen.busy, patience.turn);
  }
  const { key, done } = tool.drive.screen.interrupt;
  await terminal.press(key);
  await terminal.shows('the interruption', done, patience.turn);
  await terminal.hides(`${tool.id} to be idle`, tool.drive.screen.busy, patience.turn);
}

async function compact(world: World, tool: Tool, terminal: Terminal): Promise<void> {
  const { command, done } = tool.drive.screen.compact;
  const { exchanges } = world.client(tool);
  const asked = () => (exchanges.some(({ about }) => about === 'compaction') ? true : undefined);
  await enter(terminal, command, literally(command), asked);
  await terminal.shows('the compaction to be done', done, patience.turn);
  await terminal.hides(`${tool.id} to be idle`, tool.drive.screen.busy, patience.turn);
}

async function saveSnapshot(tool: Tool, terminal: Terminal, name: string): Promise<void> {
  const { snapshot } = tool.drive.screen;
  if (snapshot === undefined) throw new Error(`${tool.id} saves no snapshots`);
  const line = `${snapshot.command} ${name}`;
  const done = async () => (snapshot.done.test(await terminal.screen()) ? true : undefined);
  await enter(terminal, line, literally(line), done);
}

/** A snapshot is a session of its own, titled by its name. */
async function idOfSnapshot(world: World, tool: Tool, name: string): Promise<string> {
  await importAll(world);
  const found = (await list(world)).find((each) => each.tool === tool.id && each.title === name);
  if (found === undefined) throw new Error(`sfs list does not show the snapshot ${name}`);
  return found.native_id;
}

/** Leaves the tool as a person does. */
export async function leave(tool: Tool, terminal: Terminal): Promise<void> {
  const command = tool.drive.screen.quit;
  const ended = () =>
    terminal.ended(1).then(
      () => true,
      () => undefined,
    );
  await enter(terminal, command, literally(command), ended);
  await terminal.close();
}

function submit(world: World, tool: Tool, terminal: Terminal, turn: ScriptTurn): Promise<void> {
  const { exchanges } = world.client(tool);
  const sent = () => (exchanges.some((exchange) => exchange.turn === turn.name) ? true : undefined);
  return enter(terminal, turn.prompt, literally(marker(turn.name)), sent);
}

/**
 * Types a line and presses Enter until it has been taken: the first Enter may close a completion list, or fall into what
 * the tool takes for a paste.
 */
async function enter(terminal: Terminal, line: string, typed: RegExp, taken: () => unknown): Promise<void> {
  await terminal.type(line);
  await terminal.shows(`the typed line "${line}"`, typed, patience.turn);
  for (let attempt = 1; ; attempt += 1) {
    await terminal.press('Enter');
    try {
      await until(`"${line}" to be taken`, async () => (await taken()) ?? undefined, patience.key);
      return;
    } catch (error) {
      if (attempt === 5)
        throw new Error(`${String(error)}; the screen shows:\n${await terminal.screen()}`, { cause: error });
    }
  }
}

/** Finds the text even where the screen broke it into lines. */
function literally(text: string): RegExp {
  const words = text.split(' ').map((word) => word.replace(/[^A-Za-z0-9]/g, '\\$&'));
  return new RegExp(words.join('\\s+'));
}

/** The session that the first turn opened; the world holds no other of this tool. */
export function firstSession(world: World, tool: Tool): Promise<string> {
  const look = () => {
    for (const path of filesBelow(world.home)) {
      const id = tool.drive.sessionOf(path, textOfFile(join(world.home, path)));
      if (id !== undefined) return id;
    }
    return undefined;
  };
  return until(`a native session of ${tool.id}`, look, patience.turn);
}
