/**
 * Cursor as a target. Its command line is not on npm, its SDK is, and reads the same database: a session that was placed for
 * `cursor-agent` is read by the SDK's own classes, and goes on in it against a server on loopback.
 */

import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Fields } from '../../../src/adapters/cursor/protobuf.ts';
import { type Check, checkHistory } from '../check-history.ts';
import type { Checks } from '../checks.ts';
import { withoutRepeats } from '../compare.ts';
import { installClient, pinnedVersions } from '../install.ts';
import type { HistoryItem } from '../model-server/history.ts';
import { type Fields as Json, fields, rows, string } from '../model-server/json.ts';
import type { Recording } from '../record.ts';
import { continuations, type Scenario } from '../scenarios.ts';
import { importAll, list, resume, spokenIds } from '../sfs.ts';
import type { World } from '../world.ts';

const npmPackage = '@cursor/sdk';
const program = fileURLToPath(new URL('ask-sdk.mjs', import.meta.url));
const [onward] = continuations;

/** Installs the SDK; the folder of its `node_modules`. */
export function installSdk(): Promise<string> {
  return installClient(npmPackage, pinnedVersions(npmPackage)[0] ?? '');
}

/** Places a captured session for Cursor and asks the SDK. `world` holds the recorded session, already imported. */
export async function askSdk(
  world: World,
  sdk: string,
  scenario: Scenario,
  source: Recording,
  checks: Checks,
): Promise<void> {
  const name = `${source.tool.name} → cursor`;
  const check: Check = (column, ok, why) => checks.check(name, scenario.column ?? column, ok, why);
  const before = await list(world);
  const origin = before.find(({ tool, native_id }) => tool === source.tool.id && native_id === source.nativeId);
  if (origin === undefined || onward === undefined) throw new Error(`sfs list does not show ${source.nativeId}`);
  const resumed = await resume(world, origin.session_id, 'cursor');
  check(
    'order',
    resumed.command.join(' ') === `cursor-agent --resume ${resumed.native_id}`,
    () => `sfs resume gives ${resumed.command.join(' ')}`,
  );
  const database = resumed.files.find((file) => file.endsWith('/store.db')) ?? '';
  const { status, stdout, stderr } = await world.run([process.execPath, program, sdk, database, onward.prompt]);
  if (status !== 0) throw new Error(`the SDK ended with status ${status}: ${stderr.slice(-1500)}`);
  const answer = fields(JSON.parse(stdout));
  const run = runOf(string(answer['request']));
  check('valid', run.faults.length === 0, () => run.faults.join('; '));
  const exchange = {
    number: 1,
    history: [...run.history, { kind: 'user', text: run.prompt } as const],
    violations: [],
  };
  const drive = { ...source.tool.drive, spoken: (text: string) => text };
  checkHistory(
    { scenario },
    {
      said: withoutRepeats(source.oracle),
      turn: onward,
      exchange,
      through: [source.tool, { id: 'cursor', name: 'cursor', drive }],
    },
    check,
  );
  const shown = rows(answer['messages']).flatMap(shownIn);
  const told = run.history.flatMap(comparable);
  // One that was made here is opened as it is, and has no turns that the screen would show.
  const isOwn = resumed.native_id === source.nativeId;
  if (!isOwn)
    check(
      'listed',
      JSON.stringify(shown) === JSON.stringify(told),
      () => `the SDK shows ${JSON.stringify(shown)}\n    and sends ${JSON.stringify(told)}`,
    );
  const expected = isOwn
    ? { parent: undefined, listed: before.length }
    : { parent: origin.session_id, listed: before.length + 1 };
  await checkLineage(world, resumed.native_id, expected, check);
}

/** What was placed is listed once, as what it is, and not captured again. */
async function checkLineage(
  world: World,
  nativeId: string,
  expected: { readonly parent: string | undefined; readonly listed: number },
  check: Check,
): Promise<void> {
  const find = async () => (await list(world)).find(({ native_id }) => native_id === nativeId);
  const idsOf = async (id: string | undefined) => (id === undefined ? new Set<string>() : spokenIds(world, id));
  const said = await idsOf((await find())?.session_id);
  await importAll(world);
  const after = await find();
  check(
    'lineage',
    after !== undefined &&
      (after.parent_session_id ?? undefined) === expected.parent &&
      (await list(world)).length === expected.listed,
    () => `${nativeId} is listed as ${JSON.stringify(after)}`,
  );
  const again = await idsOf(after?.session_id);
  check('settled', again.size === said.size && said.size > 0, () => `${said.size} messages became ${again.size}`);
}

/** What a run's request carries: `aiserver.v1.BidiAppendRequest` with the hex of an `agent.v1.AgentClientMessage`. */
function runOf(request: string): {
  readonly history: readonly HistoryItem[];
  readonly prompt: string;
  readonly faults: readonly string[];
} {
  const message = Buffer.from(textOf(new Fields(Buffer.from(request, 'hex')), 1), 'hex');
  const run = within(new Fields(message), 1);
  const faults: string[] = [];
  const blobs = new Map<string, Uint8Array>();
  for (const entry of run.get(17).bytes) {
    const [id, value = new Uint8Array()] = [1, 2].map((number) => new Fields(entry).get(number).bytes[0]);
    const named = hexOf(id);
    if (createHash('sha256').update(value).digest('hex') !== named) faults.push(`blob ${named} has another hash`);
    blobs.set(named, value);
  }
  const state = within(run, 1);
  const history = state.get(1).bytes.flatMap((id) => {
    const blob = blobs.get(hexOf(id));
    if (blob === undefined) faults.push(`message ${hexOf(id)} is not sent along`);
    return blob === undefined ? [] : itemsOf(fields(JSON.parse(Buffer.from(blob).toString('utf8'))));
  });
  for (const id of state.get(8).bytes) if (!blobs.has(hexOf(id))) faults.push(`turn ${hexOf(id)} is not sent along`);
  const calls = history.flatMap((item) => (item.kind === 'call' ? [item.id] : []));
  const results = history.flatMap((item) => (item.kind === 'result' ? [item.id] : []));
  if (JSON.stringify(calls.toSorted()) !== JSON.stringify(results.toSorted()))
    faults.push(`calls ${calls.join(' ')} are answered by ${results.join(' ')}`);
  const action = within(within(run, 2), 1);
  return { history, prompt: textOf(within(action, 1), 1), faults };
}

function within(message: Fields, number: number): Fields {
  return new Fields(message.get(number).bytes[0] ?? new Uint8Array());
}

function textOf(message: Fields, number: number): string {
  return Buffer.from(message.get(number).bytes[0] ?? []).toString('utf8');
}

function hexOf(id: Uint8Array | undefined): string {
  return Buffer.from(id ?? []).toString('hex');
}

/** One message of what the model is sent. */
function itemsOf({ role, content }: Json): readonly HistoryItem[] {
  return rows(content).flatMap((part): HistoryItem[] => {
    const text = string(part['text']);
    switch (part['type']) {
      case 'text': {
        if (role === 'assistant') return [{ kind: 'assistant', text }];
        const said = /^<user_query>\n([^]*)\n<\/user_query>$/.exec(text)?.[1] ?? text;
        return said === '' ? [] : [{ kind: 'user', text: said }];
      }
      case 'image':
        return [{ kind: 'image' }];
      case 'tool-call':
        return [{ kind: 'call', id: string(part['toolCallId']), name: string(part['toolName']), input: part['args'] }];
      case 'tool-result':
        return [
          {
            kind: 'result',
            id: string(part['toolCallId']),
            text: string(part['result']),
            ...(part['isError'] === true ? { isError: true } : {}),
          },
          ...rows(part['experimental_content']).flatMap((one) =>
            one['type'] === 'image' ? [{ kind: 'image' } as const] : [],
          ),
        ];
      default:
        return [];
    }
  });
}

/** A turn as `Agent.messages.list` tells it: its prompt, and its steps without thinking. */
function shownIn({ message }: Json): readonly string[] {
  const turn = fields(fields(message)['agentConversationTurn']);
  const prompt = string(fields(turn['userMessage'])['text']);
  return [
    ...(prompt === '' ? [] : [`user ${prompt}`]),
    ...rows(turn['steps']).flatMap((step) => {
      if ('assistantMessage' in step) return [`assistant ${string(fields(step['assistantMessage'])['text'])}`];
      return 'toolCall' in step ? [`call ${string(fields(step['toolCall'])['toolCallId'])}`] : [];
    }),
  ];
}

function comparable(item: HistoryItem): readonly string[] {
  if (item.kind === 'user' || item.kind === 'assistant') return [`${item.kind} ${item.text}`];
  return item.kind === 'call' ? [`call ${item.id}`] : [];
}
