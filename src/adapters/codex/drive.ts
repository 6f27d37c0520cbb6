/** Operates Codex CLI (seen with 0.169.0) in the client matrix. */

import type { Aside, Drive, ScriptCall, ScriptTurn, WireCall } from '../drive.ts';

const permission = '--dangerously-bypass-approvals-and-sandbox';

/** The Codex entry of the client matrix. */
export const drive: Drive = {
  npmPackage: '@openai/codex',
  program: 'codex',
  executable: () => 'node_modules/@openai/codex/bin/codex.js',
  protocol: 'openai-responses',

  // gpt-5.5 calls its tools directly; newer default models go through one JavaScript tool.
  seed: ({ project, modelUrl }) => ({
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

[model_providers.matrix]
name = "matrix"
base_url = "${modelUrl}/v1"
wire_api = "responses"
env_key = "MATRIX_KEY"
supports_websockets = false
request_max_retries = 0
stream_max_retries = 0

[projects."${project}"]
trust_level = "trusted"

[tui]
screen_reader_detection_done = true
animations = false

[tui.model_availability_nux]
"gpt-6.1-sol" = 1

[notice.model_migrations]
"gpt-5.5" = "gpt-6-sol"
`,
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

  call: spellCall,

  spoken: (text) => (isContext.test(text) ? '' : text.trim()),
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

/** Context messages of role `user` that Codex adds by itself. */
const isContext =
  /^\s*(?:<(?:environment_context|user_instructions|permissions|collaboration_mode|skills_instructions|turn_aborted|multi_agent|subagent_notification|model_switch|apps_|plugins|personality|image name=)|<\/image>|# AGENTS\.md instructions for )/;

function spellCall(call: ScriptCall, _scratch: unknown, { results }: ScriptTurn): WireCall | undefined {
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
