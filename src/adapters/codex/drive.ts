/** Operates Codex CLI (seen with 0.169.0) in the client matrix. */

import type { Account, Aside, Drive, OwnSession, Scratch, ScriptCall, ScriptTurn, WireCall } from '../drive.ts';

const permission = '--dangerously-bypass-approvals-and-sandbox';

/** The Codex entry of the client matrix. */
export const drive: Drive = {
  npmPackage: '@openai/codex',
  program: 'codex',
  executables: () => ['node_modules/@openai/codex/bin/codex.js'],
  protocol: 'openai-responses',

  // gpt-5.5 calls its tools directly; newer default models go through one JavaScript tool.
  seed: ({ project, modelUrl, mcp }) => ({
    '.codex/config.toml': `model = "gpt-5.5"
model_provider = "matrix"
check_for_update_on_startup = false
disable_paste_burst = true

[analytics]
enabled = false

[feedback]
enabled = false

[features]
daemon_auto_start = false

${['matrix', ...recordedProviders].map((name) => modelProvider(name, modelUrl)).join('\n')}
[projects."${project}"]
trust_level = "trusted"

[tui]
screen_reader_detection_done = true
animations = false

[tui.model_availability_nux]
"gpt-6.1-sol" = 1

[notice.model_migrations]
"gpt-5.5" = "gpt-6-sol"
${mcp === undefined ? '' : mcpServer(mcp.name, mcp.argv)}`,
  }),

  environment: () => ({ MATRIX_KEY: 'dummy-key-of-the-client-matrix' }),

  interactive: ['codex', permission],
  resume: (nativeId) => ['codex', 'resume', nativeId],

  // `codex resume <id>` is a screen; `codex exec … resume <id> <prompt>` is the same turn without one.
  headless: ([program = 'codex', ...rest], { text, image }) => {
    const picture = image === undefined ? [] : ['--image', image.path];
    return { argv: [program, 'exec', permission, ...rest, ...picture, '--', text] };
  },

  screen: {
    ready: /^\s*›/m,
    busy: /esc to interrupt/i,
    compact: { command: '/compact', done: /Context compacted/i },
    interrupt: { key: 'Escape', done: /Conversation interrupted/i },
    quit: '/quit',
  },
  listing: { by: 'screen', argv: ['codex', 'resume'], leave: 'Escape' },

  account: {
    argv: ['codex', 'app-server'],
    greeting: {
      method: 'initialize',
      params: { clientInfo: { name: 'matrix', title: null, version: '0' }, capabilities: { experimentalApi: true } },
      notice: 'initialized',
    },
    // What it shows of a paginated thread is made when that is resumed; before it reads as empty.
    calls: (threadId) => [
      { method: 'thread/resume', params: { threadId } },
      { method: 'thread/read', params: { threadId, includeTurns: true } },
    ],
    read: ownSession,
    hides,
    oldest: '0.42.0',
  },

  takesIn: {
    from: 'claude-code',
    find: { method: 'externalAgentConfig/detect', params: { includeHome: true } },
    take: (found) => ({
      method: 'externalAgentConfig/import',
      params: { migrationItems: itemsOf(found).filter(({ itemType }) => itemType === 'SESSIONS') },
    }),
    taken: (notices) => {
      const done = notices.find(({ method }) => method === 'externalAgentConfig/import/completed');
      return done === undefined
        ? undefined
        : resultsOf(done.params).map(({ target, source }) => ({ nativeId: String(target), path: String(source) }));
    },
  },

  call: spellCall,

  spoken: (text) => (isContext.test(text) ? '' : text.trim()),
  cut: /…\d+ tokens truncated…/,
  aside: recogniseAside,

  sessionOf: (path) =>
    /^\.codex\/(?:archived_)?sessions\/(?:.*\/)?rollout-[\dT-]{19}-([0-9a-f-]{36})(?:_[0-9a-f-]{36})?\.jsonl(?:\.zst)?$/.exec(
      path,
    )?.[1],
  fixture: {
    keep: /^\.codex\/(sessions\/|session_index\.jsonl|history\.jsonl)/,
    vendorKeys: ['base_instructions', 'tools', 'instructions', 'state', 'collaboration_mode'],
  },
};

/** What `externalAgentConfig/detect` has found. */
function itemsOf(found: unknown): readonly Fields[] {
  return (found as { readonly items: readonly Fields[] }).items;
}

/** What an import that is completed has made, session by session. */
function resultsOf(params: unknown): readonly Fields[] {
  const { itemTypeResults } = params as {
    readonly itemTypeResults: readonly { readonly successes: readonly Fields[] }[];
  };
  return itemTypeResults.flatMap(({ successes }) => successes);
}

/** Context messages of role `user` that Codex adds by itself. */
const isContext =
  /^\s*(?:<(?:environment_context|user_instructions|permissions|collaboration_mode|skills_instructions|turn_aborted|multi_agent|subagent_notification|model_switch|apps_|plugins|personality|image name=)|<\/image>|# AGENTS\.md instructions for )/;

/** Providers of the recorded fixtures: a thread whose provider is not configured cannot be resumed. */
const recordedProviders = ['lab'];

function modelProvider(name: string, modelUrl: string): string {
  return `[model_providers.${name}]
name = "${name}"
base_url = "${modelUrl}/v1"
wire_api = "responses"
env_key = "MATRIX_KEY"
supports_websockets = false
request_max_retries = 0
stream_max_retries = 0
`;
}

type Fields = Readonly<Record<string, unknown>>;

/** The answer of `thread/read`, and the token counts that follow a resume. */
function ownSession([, answer]: readonly unknown[], notices: Parameters<Account['read']>[1]): OwnSession | undefined {
  const { thread } = answer as {
    readonly thread: Fields & { readonly turns: readonly { readonly items: readonly Fields[] }[] };
  };
  const items = thread.turns.flatMap((turn) => turn.items);
  const of = (type: string) => items.filter((item) => item['type'] === type);
  const isWhole = thread['forkedFromId'] === null && !/_[0-9a-f-]{36}\.jsonl$/.test(String(thread['path']));
  const stated = notices.findLast(
    ({ method, params }) => method === 'thread/tokenUsage/updated' && (params as Fields)['threadId'] === thread['id'],
  );
  if (stated === undefined && isWhole) return undefined;
  const usage = stated?.params as
    | { readonly tokenUsage: { readonly total: Readonly<Record<string, number>> } }
    | undefined;
  const content = of('userMessage').map((item) => item['content'] as readonly Fields[]);
  const texts = (parts: readonly Fields[]) =>
    parts.flatMap((part) => (part['type'] === 'text' ? [String(part['text'])] : []));
  return {
    isWhole,
    isLegacy: thread['historyMode'] !== 'paginated',
    prompts: content.map((parts) => texts(parts).join('\n')),
    images: content.flat().filter(({ type }) => type === 'image' || type === 'localImage').length,
    answers: of('agentMessage').map((item) => String(item['text'])),
    compactions: of('contextCompaction').length,
    calls: items.filter(isCall).map(({ id }) => String(id)),
    tokens:
      usage === undefined
        ? undefined
        : { input: usage.tokenUsage.total['inputTokens'] ?? 0, output: usage.tokenUsage.total['outputTokens'] ?? 0 },
  };
}

const callItems: ReadonlySet<unknown> = new Set([
  'commandExecution',
  'fileChange',
  'mcpToolCall',
  'dynamicToolCall',
  'collabAgentToolCall',
  'imageView',
  'webSearch',
]);

/** What a sub-agent reports later is an activity without a call. */
function isCall({ type, kind }: Fields): boolean {
  return callItems.has(type) || (type === 'subAgentActivity' && kind === 'started');
}

/**
 * Calls that are only told to the model: scripts of code mode (their own calls are told), input to a running command,
 * pictures it made, calls that Codex itself refused or a person broke off, and in legacy threads all but patches and MCP.
 */
function hides({ name, result, isLegacy }: Parameters<Account['hides']>[0]): boolean {
  if (isLegacy || /^(?:exec|write_stdin|image_generation)$/.test(name)) return true;
  return /^(?:unsupported call|failed to parse function arguments)|\baborted by user$/.test(result ?? '');
}

function mcpServer(name: string, [command, ...args]: readonly [string, ...string[]]): string {
  return `
[mcp_servers.${name}]
command = ${JSON.stringify(command)}
args = ${JSON.stringify(args)}
`;
}

function spellCall(call: ScriptCall, { mcp }: Scratch, { results }: ScriptTurn): WireCall | undefined {
  const run = (cmd: string): WireCall => ({ name: 'exec_command', input: { cmd, yield_time_ms: 30_000 } });
  const patch = (...lines: readonly string[]): WireCall => ({
    name: 'apply_patch',
    input: `*** Begin Patch\n${lines.join('\n')}\n*** End Patch\n`,
  });
  switch (call.do) {
    case 'run':
      return run(call.command);
    case 'read':
      return run(`cat ${call.path}`);
    case 'look':
      return { name: 'view_image', input: { path: call.path } };
    case 'write':
      return patch(`*** Add File: ${call.path}`, ...call.lines.map((line) => `+${line}`));
    case 'edit':
      return patch(`*** Update File: ${call.path}`, '@@', `-${call.before}`, `+${call.after}`);
    case 'delegate':
      return {
        name: 'spawn_agent',
        namespace: 'multi_agent_v1',
        input: { message: call.task, agent_type: 'default' },
      };
    case 'await': {
      const agent = /"agent_id"\s*:\s*"([0-9a-f-]{36})"/.exec(results.join('\n'))?.[1] ?? 'unknown';
      return {
        name: 'wait_agent',
        namespace: 'multi_agent_v1',
        input: { targets: [agent], timeout_ms: 60_000 },
      };
    }
    // Namespaces are offered by name only; a call to what is in one is taken nevertheless.
    case 'use':
      return mcp === undefined ? undefined : { namespace: `mcp__${mcp.name}`, name: call.tool, input: call.input };
    case 'report':
      return undefined;
    default:
      return call satisfies never;
  }
}

function recogniseAside(request: unknown): Aside | undefined {
  const { input } = request as { readonly input?: readonly unknown[] };
  const last = JSON.stringify(input?.at(-1) ?? '');
  // A side thread names the session after its first prompt; it asks for JSON and is not kept.
  if (/Generate a concise, single-line task title/.test(last)) {
    return { about: 'title', text: JSON.stringify({ title: 'Tour the orchard' }) };
  }
  if (/CONTEXT CHECKPOINT COMPACTION|handoff summary/i.test(last)) {
    return { about: 'compaction', text: 'The orchard summary: notes were counted.' };
  }
  return undefined;
}
