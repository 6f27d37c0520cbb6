/** How Claude Code names the common calls. Argument names as in 2.1.330; `Task`, `LS` and `MultiEdit` are older. */

import { booleanAt, isObject, numberAt, stringAt } from '../../model/json.ts';
import type { JsonObject } from '../../model/json.ts';
import type { CommonCall, Vocabulary } from '../shared/vocabulary.ts';
import { defined } from '../shared/vocabulary.ts';

/** Claude Code's words. */
export const vocabulary: Vocabulary = [
  {
    verb: 'shell',
    name: 'Bash',
    read: (input) => {
      const command = stringAt(input, 'command');
      if (command === undefined || !says(input, ['command', 'description', 'timeout'])) return undefined;
      return {
        verb: 'shell',
        command,
        ...optional('description', stringAt(input, 'description')),
        ...optional('timeoutMs', numberAt(input, 'timeout')),
      };
    },
    write: (call) => {
      if (call.verb !== 'shell') return undefined;
      const command = call.cwd === undefined ? call.command : `cd ${quoted(call.cwd)} && ${call.command}`;
      return defined({ command, description: call.description, timeout: call.timeoutMs });
    },
  },
  {
    verb: 'read',
    name: 'Read',
    read: (input) => {
      const path = stringAt(input, 'file_path');
      if (path === undefined || !says(input, ['file_path', 'offset', 'limit'])) return undefined;
      return {
        verb: 'read',
        path,
        ...optional('offset', numberAt(input, 'offset')),
        ...optional('limit', numberAt(input, 'limit')),
      };
    },
    write: (call) =>
      call.verb === 'read' ? defined({ file_path: call.path, offset: call.offset, limit: call.limit }) : undefined,
  },
  {
    verb: 'write',
    name: 'Write',
    read: (input) => {
      const path = stringAt(input, 'file_path');
      const content = stringAt(input, 'content');
      if (path === undefined || content === undefined || !says(input, ['file_path', 'content'])) return undefined;
      return { verb: 'write', path, content };
    },
    write: (call) => (call.verb === 'write' ? { file_path: call.path, content: call.content } : undefined),
  },
  {
    verb: 'edit',
    name: 'Edit',
    read: (input) => {
      const path = stringAt(input, 'file_path');
      const before = stringAt(input, 'old_string');
      const after = stringAt(input, 'new_string');
      if (path === undefined || before === undefined || after === undefined) return undefined;
      if (!says(input, ['file_path', 'old_string', 'new_string', 'replace_all'])) return undefined;
      return { verb: 'edit', path, before, after, ...(booleanAt(input, 'replace_all') === true ? { all: true } : {}) };
    },
    write: (call) => {
      if (call.verb !== 'edit') return undefined;
      return { file_path: call.path, old_string: call.before, new_string: call.after, replace_all: call.all === true };
    },
  },
  {
    verb: 'search',
    name: 'Grep',
    read: (input) => {
      const pattern = stringAt(input, 'pattern');
      // How much of each hit is printed does not change what is looked for.
      if (
        pattern === undefined ||
        !says(input, [
          'pattern',
          'path',
          'glob',
          'output_mode',
          '-n',
          '-A',
          '-B',
          '-C',
          'context',
          'head_limit',
          'offset',
        ])
      ) {
        return undefined;
      }
      return {
        verb: 'search',
        pattern,
        ...optional('path', stringAt(input, 'path')),
        ...optional('glob', stringAt(input, 'glob')),
      };
    },
    write: (call) =>
      call.verb === 'search' ? defined({ pattern: call.pattern, path: call.path, glob: call.glob }) : undefined,
  },
  {
    verb: 'list',
    name: 'Glob',
    read: (input) => {
      const glob = stringAt(input, 'pattern');
      if (glob === undefined || !says(input, ['pattern', 'path'])) return undefined;
      return { verb: 'list', glob, ...optional('path', stringAt(input, 'path')) };
    },
    write: (call) => (call.verb === 'list' ? defined({ pattern: call.glob ?? '*', path: call.path }) : undefined),
  },
  {
    verb: 'list',
    name: 'LS',
    read: (input) => {
      const path = stringAt(input, 'path');
      return path === undefined || !says(input, ['path']) ? undefined : { verb: 'list', path };
    },
  },
  {
    verb: 'fetch',
    name: 'WebFetch',
    read: (input) => {
      const url = stringAt(input, 'url');
      if (url === undefined || !says(input, ['url', 'prompt'])) return undefined;
      return { verb: 'fetch', url, ...optional('prompt', stringAt(input, 'prompt')) };
    },
    write: (call) => (call.verb === 'fetch' ? defined({ url: call.url, prompt: call.prompt }) : undefined),
  },
  {
    verb: 'web-search',
    name: 'WebSearch',
    read: (input) => {
      const query = stringAt(input, 'query');
      return query === undefined || !says(input, ['query']) ? undefined : { verb: 'web-search', query };
    },
    write: (call) => (call.verb === 'web-search' ? { query: call.query } : undefined),
  },
  {
    verb: 'plan',
    name: 'TodoWrite',
    read: readPlan,
    write: (call) => {
      if (call.verb !== 'plan') return undefined;
      return { todos: call.steps.map(({ text, status }) => ({ content: text, status, activeForm: text })) };
    },
  },
  {
    verb: 'agent',
    name: 'Agent',
    read: readAgent,
    write: (call) => {
      if (call.verb !== 'agent') return undefined;
      return {
        description: call.description ?? headOf(call.prompt),
        prompt: call.prompt,
        subagent_type: 'general-purpose',
      };
    },
  },
  // Up to about 2.1.5x.
  { verb: 'agent', name: 'Task', read: readAgent },
];

const statuses = ['pending', 'in_progress', 'completed'] as const;

/** `{"todos":[{"content":"First","status":"in_progress","activeForm":"Doing first"}]}` */
function readPlan(input: JsonObject): CommonCall | undefined {
  const todos = input['todos'];
  if (!Array.isArray(todos) || !says(input, ['todos'])) return undefined;
  const steps: { text: string; status: (typeof statuses)[number] }[] = [];
  for (const todo of todos) {
    const text = stringAt(todo, 'content');
    const status = statuses.find((one) => one === stringAt(todo, 'status'));
    if (text === undefined || status === undefined) return undefined;
    steps.push({ text, status });
  }
  return { verb: 'plan', steps };
}

/** `{"description":"Sub job","prompt":"…","subagent_type":"general-purpose","run_in_background":false}` */
function readAgent(input: JsonObject): CommonCall | undefined {
  const prompt = stringAt(input, 'prompt');
  if (prompt === undefined || !says(input, ['prompt', 'description', 'subagent_type', 'run_in_background', 'model']))
    return undefined;
  return { verb: 'agent', prompt, ...optional('description', stringAt(input, 'description')) };
}

/** Does the input say nothing beyond these fields? */
function says(input: JsonObject, fields: readonly string[]): boolean {
  return (
    isObject(input) &&
    Object.entries(input).every(([key, value]) => value === undefined || value === null || fields.includes(key))
  );
}

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in K]: V });
}

/** A path as one word of the shell. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

function headOf(prompt: string): string {
  return prompt.trim().split(/\s+/).slice(0, 5).join(' ').slice(0, 60);
}
