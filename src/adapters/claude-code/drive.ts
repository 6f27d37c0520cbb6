/** Operates Claude Code (seen with 2.1.330) in the client matrix. */

import type { Aside, Drive, ScriptCall, Scratch, WireCall } from '../drive.ts';

/** Approved in the seeded configuration by its last 20 characters, so that no dialog asks about it. */
const dummyKey = 'sk-ant-test-dummy-key-of-the-client-matrix';

const permission = '--dangerously-skip-permissions';

/** The Claude Code entry of the client matrix. */
export const drive: Drive = {
  npmPackage: '@anthropic-ai/claude-code',
  program: 'claude',
  executable: (os, arch) => `node_modules/@anthropic-ai/claude-code-${os}-${arch}/claude`,
  protocol: 'anthropic-messages',

  seed: ({ project }) => ({
    '.claude.json': JSON.stringify({
      hasCompletedOnboarding: true,
      lastOnboardingVersion: '2.1.330',
      theme: 'dark',
      bypassPermissionsModeAccepted: true,
      numStartups: 5,
      customApiKeyResponses: { approved: [dummyKey.slice(-20)], rejected: [] },
      projects: {
        [project]: {
          allowedTools: [],
          hasTrustDialogAccepted: true,
          hasCompletedProjectOnboarding: true,
          projectOnboardingSeenCount: 9,
        },
      },
    }),
  }),

  environment: ({ modelUrl }) => ({
    ANTHROPIC_BASE_URL: modelUrl,
    ANTHROPIC_API_KEY: dummyKey,
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    DISABLE_AUTOUPDATER: '1',
    // Root may skip permissions only where this says that the place is disposable.
    IS_SANDBOX: '1',
  }),

  interactive: ['claude', permission],
  resume: (nativeId) => ['claude', '--resume', nativeId],

  headless: (resume, { text, image }) => {
    const argv = [...resume, '--print', permission, '--verbose', '--output-format', 'stream-json'];
    if (image === undefined) return { argv: [...argv, text] };
    const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: image.base64 } };
    const message = { role: 'user', content: [{ type: 'text', text }, picture] };
    return {
      argv: [...argv, '--input-format', 'stream-json'],
      stdin: `${JSON.stringify({ type: 'user', message })}\n`,
    };
  },

  screen: {
    ready: /^\s*❯/m,
    busy: /esc to interrupt/i,
    compact: { command: '/compact', done: /Compacted|Conversation compacted/i },
    interrupt: { key: 'Escape', done: /Interrupted/i },
    quit: '/exit',
  },
  listing: { by: 'screen', argv: ['claude', '--resume'], leave: 'Escape' },

  call: spellCall,

  spoken: (text) => addedTexts.reduce((rest, added) => rest.replace(added, ''), text).trim(),
  aside: recogniseAside,

  sessionOf: (path) => /^\.claude\/projects\/[^/]+\/([0-9a-f-]{36})(?:\.jsonl$|\/)/.exec(path)?.[1],
  fixture: {
    keep: /^\.claude\/(projects|file-history|history\.jsonl)/,
    vendorKeys: ['rendered', 'system', 'tools', 'shape', 'blob'],
  },
};

/** Pieces of user messages that Claude Code writes itself. */
const addedTexts: readonly RegExp[] = [
  /<(system-reminder|task-notification)>[\s\S]*?<\/\1>/g,
  /<(command-name|command-message|command-args|local-command-caveat|local-command-stdout)>[\s\S]*?<\/\1>/g,
  /\[Request interrupted by user(?: for tool use)?\]/g,
  /\[Image: source: [^\]\n]*\]/g,
];

function spellCall(call: ScriptCall, { project }: Scratch): WireCall | undefined {
  const file = (path: string) => `${project}/${path}`;
  switch (call.do) {
    case 'run':
      return { name: 'Bash', input: { command: call.command, description: 'Run a command' } };
    case 'read':
    case 'look':
      return { name: 'Read', input: { file_path: file(call.path) } };
    case 'write':
      return { name: 'Write', input: { file_path: file(call.path), content: `${call.lines.join('\n')}\n` } };
    case 'edit':
      return {
        name: 'Edit',
        input: { file_path: file(call.path), old_string: call.before, new_string: call.after, replace_all: false },
      };
    case 'delegate':
      return {
        name: 'Agent',
        input: {
          description: call.name,
          prompt: call.task,
          subagent_type: 'general-purpose',
          run_in_background: false,
        },
      };
    case 'await':
    case 'report':
      return undefined;
    default:
      return call satisfies never;
  }
}

/** Titles, quota probes and `/compact` come as ordinary Messages requests. */
function recogniseAside(request: unknown): Aside | undefined {
  const { system, messages, tools, max_tokens } = request as {
    readonly system?: unknown;
    readonly messages?: readonly { readonly content: unknown }[];
    readonly tools?: readonly unknown[];
    readonly max_tokens?: number;
  };
  const last = JSON.stringify(messages?.at(-1)?.content ?? '');
  if (/Your task is to create a detailed summary|CRITICAL: Respond with TEXT ONLY/.test(last)) {
    const summary =
      '<analysis>Looked back.</analysis>\n<summary>\nThe orchard summary: notes were counted.\n</summary>';
    return { about: 'compaction', text: summary };
  }
  if (max_tokens === 1 || last === '"quota"') return { about: 'probe', text: 'ok' };
  if ((tools ?? []).length === 0 && /title/i.test(JSON.stringify(system ?? ''))) {
    return { about: 'title', text: JSON.stringify({ title: 'Orchard tour' }) };
  }
  return undefined;
}
