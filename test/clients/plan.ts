/** Which sessions are recorded, and where each is resumed. */

import { type Made, made } from './cursor/made.ts';
import { installSdk } from './cursor/witness.ts';
import { type Recorded, recordedFixtures } from './own-account.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { drivableIds, loadTool, type Tool } from './tools.ts';

/** What is asked for: names as the matrix prints them (`codex`, `codex@0.148.0`); undefined means all. */
export type Wanted = {
  readonly from: readonly string[] | undefined;
  readonly to: readonly string[] | undefined;
  readonly scenarios: readonly string[] | undefined;
  /** Leave out the older versions. */
  readonly current: boolean;
};

/** A source session to record, and the tools it is resumed in, in that order. `name` is its own, usable in paths. */
export type Job = {
  readonly name: string;
  readonly scenario: Scenario;
  readonly source: Tool;
  readonly targets: readonly Tool[];
};

/** Stands for the recorded fixtures among the names of scenarios. */
export const fixturesName = 'fixtures';

/** Stands for the chats of Cursor, which are made, among the names of scenarios. */
export const chatsName = 'chats';

/** Cursor among the targets, and its newest form among the sources. */
const cursorName = 'cursor';
/** Stands for the daemon beside the tools among them. */
export const daemonName = 'daemon';

/** What a run does. */
export type Plan = {
  /** Each tool once. */
  readonly tools: readonly Tool[];
  readonly jobs: readonly Job[];
  /** The tools that the daemon watches, all in one home. */
  readonly watched: readonly Tool[];
  /** Recordings that their tool is asked about. */
  readonly recordings: readonly { readonly tool: Tool; readonly recorded: Recorded }[];
  /** Chats of Cursor, and the tools they are resumed in. */
  readonly chats: readonly { readonly made: Made; readonly targets: readonly Tool[] }[];
  /** Where Cursor's SDK is, which reads what is placed for Cursor; `undefined`: that is not asked for. */
  readonly sdk: string | undefined;
};

/** Makes the plan; CLIs that the cache lacks are installed here. Throws for a name that is no tool's. */
export async function makePlan({ from, to, scenarios: names, current }: Wanted): Promise<Plan> {
  const ids = new Set(await drivableIds());
  const isWanted = (list: readonly string[] | undefined, name: string) =>
    list === undefined ? !current || ids.has(name) : list.includes(name);
  const all: Tool[] = [];
  for (const id of ids) all.push(...(await loadTool(id, (name) => isWanted(from, name) || isWanted(to, name))));
  const ofCursor = new Set(made.map(({ name }) => name));
  for (const name of [...(from ?? []), ...(to ?? [])]) {
    if (!ofCursor.has(name) && !all.some((tool) => tool.name === name))
      throw new Error(`no tool "${name}" is pinned in versions.json`);
  }
  const sources = all.filter(({ name }) => isWanted(from, name));
  const targets = all.filter(({ name }) => isWanted(to, name));
  const jobs = scenarios
    .filter(({ name }) => names === undefined || names.includes(name))
    .flatMap((scenario) =>
      sources
        .filter((source) => source.current || scenario.older === true)
        .filter((source) => canRecord(source, scenario))
        .flatMap((source) => jobsOf(scenario, source, targets)),
    );
  const recordings = sources
    .filter((tool) => tool.current && (names === undefined || names.includes(fixturesName)))
    .flatMap((tool) => recordedFixtures(tool).map((recorded) => ({ tool, recorded })));
  const wantsChats = names === undefined || names.includes(chatsName);
  const chats = made
    .filter(({ name }) => wantsChats && (from === undefined ? !current || name === cursorName : from.includes(name)))
    .map((one) => ({ made: one, targets: targets.filter((tool) => tool.current) }));
  const sdk = to === undefined || to.includes(cursorName) ? await installSdk() : undefined;
  const watched = names === undefined || names.includes(daemonName) ? sources.filter(({ current: is }) => is) : [];
  return {
    chats,
    sdk,
    watched,
    tools: all.filter((tool, at) => all.findIndex(({ id }) => id === tool.id) === at),
    jobs,
    recordings,
  };
}

function canRecord({ drive }: Tool, { steps, keepsOutputs }: Scenario): boolean {
  if (keepsOutputs === true && drive.canKeepOutputs !== true) return false;
  return drive.screen.snapshot !== undefined || steps.every((step) => step.do !== 'snapshot');
}

/**
 * Other tools first: with its own the native files are deleted. Each tool's versions from the oldest on, since a home that
 * a newer one has seen is not taken back to an older one; that is also why a session of the current version does not go
 * to older ones of the same tool. A session of an older version is recorded twice: once it goes on in that version, once
 * the tool has been updated.
 */
function jobsOf(scenario: Scenario, source: Tool, targets: readonly Tool[]): readonly Job[] {
  const name = `${scenario.name}.${source.name}`;
  const others = targets
    .filter(({ id, current }) => id !== source.id && (current || (source.current && scenario.older === true)))
    .toReversed();
  const same = targets.filter(({ id, version }) => id === source.id && version === source.version);
  const updated = source.current ? [] : targets.filter(({ id, current }) => id === source.id && current);
  return [
    { name, scenario, source, targets: [...others, ...same] },
    ...(updated.length === 0 ? [] : [{ name: `${name}.updated`, scenario, source, targets: updated }]),
  ];
}
