/** Operates Gemini CLI (seen with 0.61.0) in the client matrix. */

import type { Aside, Drive, ScriptCall, Scratch, ScriptTurn, WireCall } from '../drive.ts';

const model = ['--model', 'gemini-2.5-pro'];

/** The Gemini CLI entry of the client matrix. */
export const drive: Drive = {
  npmPackage: '@google/gemini-cli',
  program: 'gemini',
  executables: () => ['node_modules/@google/gemini-cli/bundle/gemini.js'],
  protocol: 'gemini-generate',

  seed: ({ mcp, keepsOutputs }) => ({
    '.gemini/settings.json': JSON.stringify({
      general: {
        enableAutoUpdate: false,
        enableAutoUpdateNotification: false,
        disableAutoUpdate: true,
        disableUpdateNag: true,
      },
      privacy: { usageStatisticsEnabled: false },
      telemetry: { enabled: false },
      security: { auth: { selectedType: 'gemini-api-key' }, folderTrust: { enabled: false } },
      ...(mcp === undefined ? {} : { mcpServers: { [mcp.name]: mcpServer(mcp.argv) } }),
      ...(keepsOutputs ? { tools: { truncateToolOutputThreshold: 1e9 } } : {}),
      ui: { hideTips: true, hideBanner: true, showHomeDirectoryWarning: false },
    }),
  }),

  environment: ({ modelUrl }) => ({
    GEMINI_API_KEY: 'dummy-key-of-the-client-matrix',
    GOOGLE_GEMINI_BASE_URL: modelUrl,
    // One process instead of a parent that restarts itself with more memory.
    GEMINI_CLI_NO_RELAUNCH: 'true',
    NO_UPDATE_NOTIFIER: '1',
  }),

  interactive: ['gemini', ...model, '--yolo'],
  resume: (nativeId) => ['gemini', '--resume', nativeId],

  // `@path` in a prompt is replaced by the file; the path has to lie in the project.
  headless: (resume, { text, image }) => ({
    argv: [...resume, ...model, '--yolo', '--prompt', image === undefined ? text : `${text} @${image.path}`],
  }),

  // Each `--resume` opens `session-<minute>-<id>.jsonl`; the start after it cleans up by that name.
  resumesByTheMinute: true,

  // It takes such an answer back.
  forgetsInterruption: true,

  canKeepOutputs: true,

  screen: {
    ready: /Type your message/,
    busy: /esc to cancel/i,
    compact: { command: '/compress', done: /compressed/i },
    interrupt: { key: 'Escape', done: /cancelled/i },
    snapshot: { command: '/chat save', done: /checkpoint saved/i },
    quit: '/quit',
  },
  listing: { by: 'print', argv: ['gemini', '--list-sessions'] },

  call: spellCall,

  spoken: (text) =>
    text
      .replace(/<(session_context|hook_context)>[\s\S]*?<\/\1>/g, '')
      .replace('[The previous response was interrupted before it completed.]', '')
      // What is typed as `@tree.png` is recorded as the absolute path, and sent so from then on (0.61.0).
      .replace(/@\/\S*\//g, '@')
      .replace(/^--- (?:Content from referenced files|End of content) ---$/gm, '')
      .trim(),
  aside: recogniseAside,

  sessionOf: (path, text) => {
    if (!/^\.gemini\/tmp\/[^/]+\/chats\/session-[^/]+\.jsonl?$/.test(path)) return undefined;
    return /"sessionId":\s*"([^"]+)"/.exec(text)?.[1];
  },
  fixture: {
    keep: /^\.gemini\/(projects\.json|tmp\/[^/]+\/(\.project_root|logs\.json|chats\/|tool-outputs\/))/,
    vendorKeys: [],
  },
};

function spellCall(call: ScriptCall, _scratch: Scratch, { offered }: ScriptTurn): WireCall | undefined {
  switch (call.do) {
    case 'run':
      return { name: 'run_shell_command', input: { command: call.command, description: 'Run a command' } };
    case 'read':
    case 'look':
      return { name: 'read_file', input: { file_path: call.path } };
    case 'write':
      return { name: 'write_file', input: { file_path: call.path, content: `${call.lines.join('\n')}\n` } };
    case 'edit':
      return {
        name: 'replace',
        input: {
          file_path: call.path,
          instruction: 'Swap one word',
          old_string: call.before,
          new_string: call.after,
          allow_multiple: false,
        },
      };
    case 'delegate':
      // Before 0.44 each agent was a tool of its own.
      return offered.has('invoke_agent')
        ? { name: 'invoke_agent', input: { agent_name: 'generalist', prompt: call.task } }
        : { name: 'generalist', input: { request: call.task } };
    case 'await':
      return undefined;
    case 'use': {
      const name = [...offered].find((each) => each.endsWith(call.tool));
      return name === undefined ? undefined : { name, input: call.input };
    }
    case 'report':
      return { name: 'complete_task', input: { result: { response: call.text } } };
    default:
      return call satisfies never;
  }
}

function mcpServer([command, ...args]: readonly [string, ...string[]]): unknown {
  return { command, args, trust: true };
}

/** Answers of the small requests that ask for JSON: next speaker, model choice, loop check, edit repair. */
const jsonAnswer = {
  reasoning: 'scripted',
  next_speaker: 'user',
  model_choice: 'pro',
  complexity_score: 1,
  complexity_reasoning: 'scripted',
  unproductive_state_analysis: 'none',
  unproductive_state_confidence: 0,
};

function recogniseAside(request: unknown): Aside | undefined {
  const { contents, systemInstruction, generationConfig } = request as {
    readonly contents?: readonly unknown[];
    readonly systemInstruction?: unknown;
    readonly generationConfig?: { readonly responseMimeType?: string };
  };
  const last = JSON.stringify(contents?.at(-1) ?? '');
  if (/Summarize the user's primary intent/.test(last)) return { about: 'title', text: 'Orchard tour' };
  if (/<state_snapshot>/.test(last) || /<state_snapshot>/.test(JSON.stringify(systemInstruction ?? ''))) {
    const goal = '<overall_goal>The orchard summary: notes were counted.</overall_goal>';
    return { about: 'compaction', text: `<state_snapshot>\n${goal}\n</state_snapshot>` };
  }
  if (generationConfig?.responseMimeType === 'application/json') {
    return { about: 'probe', text: JSON.stringify(jsonAnswer) };
  }
  return undefined;
}
