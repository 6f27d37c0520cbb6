/** How Gemini CLI names the common calls (0.61.0, both of its tool sets; older argument names are read and not written). */

import type { JsonObject } from '../../model/json.ts';
import { countAt, isObject, listAt, stringAt } from '../../model/json.ts';
import { defined } from '../shared/vocabulary.ts';
import type { CommonCall, Vocabulary, Word } from '../shared/vocabulary.ts';

/** The words of Gemini CLI. */
export const vocabulary: Vocabulary = [
  word('shell', 'run_shell_command', {
    read: (input) => {
      const command = stringAt(input, 'command');
      if (command === undefined || !hasOnly(input, 'command', 'description', 'dir_path', 'directory', 'is_background'))
        return undefined;
      if (input['is_background'] === true) return undefined;
      return {
        verb: 'shell',
        command,
        ...some({
          cwd: stringAt(input, 'dir_path') ?? stringAt(input, 'directory'),
          description: stringAt(input, 'description'),
        }),
      };
    },
    write: (call) => defined({ command: call.command, description: call.description, dir_path: call.cwd }),
  }),
  word('read', 'read_file', {
    read: (input) => {
      const path = pathIn(input);
      if (
        path === undefined ||
        !hasOnly(input, 'file_path', 'absolute_path', 'start_line', 'end_line', 'offset', 'limit')
      )
        return undefined;
      const start = countAt(input, 'start_line');
      const end = countAt(input, 'end_line');
      // Until 0.2x `offset` counted from 0.
      const zeroBased = countAt(input, 'offset');
      const offset = start ?? (zeroBased === undefined ? undefined : zeroBased + 1);
      const limit = end === undefined ? countAt(input, 'limit') : Math.max(0, end - (start ?? 1) + 1);
      return { verb: 'read', path, ...some({ offset, limit }) };
    },
    write: (call) => {
      const start = call.offset === undefined ? undefined : Math.max(1, call.offset);
      const end = call.limit === undefined ? undefined : (start ?? 1) + call.limit - 1;
      if (end !== undefined && end < (start ?? 1)) return undefined;
      return defined({ file_path: call.path, start_line: start, end_line: end });
    },
  }),
  word('write', 'write_file', {
    read: (input) => {
      const path = pathIn(input);
      const content = stringAt(input, 'content');
      if (path === undefined || content === undefined || !hasOnly(input, 'file_path', 'absolute_path', 'content'))
        return undefined;
      return { verb: 'write', path, content };
    },
    write: (call) => ({ file_path: call.path, content: call.content }),
  }),
  word('edit', 'replace', {
    read: (input) => {
      const path = pathIn(input);
      const before = stringAt(input, 'old_string');
      const after = stringAt(input, 'new_string');
      if (path === undefined || before === undefined || after === undefined) return undefined;
      if (
        !hasOnly(
          input,
          'file_path',
          'absolute_path',
          'old_string',
          'new_string',
          'instruction',
          'allow_multiple',
          'expected_replacements',
        )
      )
        return undefined;
      // A count of replacements above one says more than "all".
      if ((countAt(input, 'expected_replacements') ?? 1) > 1) return undefined;
      return { verb: 'edit', path, before, after, ...(input['allow_multiple'] === true ? { all: true } : {}) };
    },
    write: (call) => ({
      file_path: call.path,
      instruction: 'Replace the text.',
      old_string: call.before,
      new_string: call.after,
      allow_multiple: call.all === true,
    }),
  }),
  searchWord('grep_search'),
  searchWord('search_file_content'),
  word('list', 'list_directory', {
    read: (input) => {
      const path = stringAt(input, 'dir_path') ?? stringAt(input, 'path');
      return path === undefined || !hasOnly(input, 'dir_path', 'path') ? undefined : { verb: 'list', path };
    },
    write: (call) => (call.glob === undefined ? { dir_path: call.path ?? '.' } : undefined),
  }),
  word('list', 'glob', {
    read: (input) => {
      const glob = stringAt(input, 'pattern');
      if (glob === undefined || !hasOnly(input, 'pattern', 'dir_path', 'path')) return undefined;
      return { verb: 'list', glob, ...some({ path: stringAt(input, 'dir_path') ?? stringAt(input, 'path') }) };
    },
    write: (call) => (call.glob === undefined ? undefined : defined({ pattern: call.glob, dir_path: call.path })),
  }),
  word('fetch', 'web_fetch', {
    read: (input) => {
      const prompt = stringAt(input, 'prompt');
      const urls =
        prompt === undefined || prompt.length > 20_000 ? [] : (prompt.match(/https?:\/\/[^\s<>"')\]]+/g) ?? []);
      const url = urls[0];
      if (prompt === undefined || url === undefined || urls.length > 1 || !hasOnly(input, 'prompt')) return undefined;
      return { verb: 'fetch', url, ...(prompt.trim() === url ? {} : { prompt }) };
    },
    write: (call) => {
      if (call.prompt === undefined) return { prompt: call.url };
      return { prompt: call.prompt.includes(call.url) ? call.prompt : `${call.prompt} ${call.url}` };
    },
  }),
  word('web-search', 'google_web_search', {
    read: (input) => {
      const query = stringAt(input, 'query');
      return query === undefined || !hasOnly(input, 'query') ? undefined : { verb: 'web-search', query };
    },
    write: (call) => ({ query: call.query }),
  }),
  word('plan', 'write_todos', {
    read: (input) => {
      const steps = listAt(input, 'todos').map((todo) => {
        const text = stringAt(todo, 'description');
        const status = stepStatuses.find((each) => isObject(todo) && todo['status'] === each);
        return text === undefined || status === undefined ? undefined : { text, status };
      });
      // `cancelled` and `blocked` have no common word.
      return steps.length > 0 && steps.every((step) => step !== undefined) ? { verb: 'plan', steps } : undefined;
    },
    write: (call) => ({ todos: call.steps.map((step) => ({ description: step.text, status: step.status })) }),
  }),
  word('agent', 'invoke_agent', {
    read: (input) => {
      const prompt = stringAt(input, 'prompt');
      const agent = stringAt(input, 'agent_name');
      return prompt === undefined || agent !== 'generalist' || !hasOnly(input, 'prompt', 'agent_name')
        ? undefined
        : { verb: 'agent', prompt };
    },
    write: (call) => ({ agent_name: 'generalist', prompt: call.prompt }),
  }),
];

const stepStatuses = ['pending', 'in_progress', 'completed'] as const;

function searchWord(name: 'grep_search' | 'search_file_content'): Word {
  return word('search', name, {
    read: (input) => {
      const pattern = stringAt(input, 'pattern');
      if (pattern === undefined || !hasOnly(input, 'pattern', 'dir_path', 'path', 'include_pattern', 'include'))
        return undefined;
      const path = stringAt(input, 'dir_path') ?? stringAt(input, 'path');
      return {
        verb: 'search',
        pattern,
        ...some({ path, glob: stringAt(input, 'include_pattern') ?? stringAt(input, 'include') }),
      };
    },
    write: (call) => defined({ pattern: call.pattern, dir_path: call.path, include_pattern: call.glob }),
  });
}

type CallOf<V extends CommonCall['verb']> = Extract<CommonCall, { verb: V }>;

/** A word whose `write` is handed calls of its own verb only. */
function word<V extends CommonCall['verb']>(
  verb: V,
  name: string,
  ways: { read(input: JsonObject): CallOf<V> | undefined; write(call: CallOf<V>): JsonObject | undefined },
): Word {
  // The caller picks words by verb, which the checker cannot follow.
  return {
    verb,
    name,
    read: ways.read,
    write: (call) => (call.verb === verb ? ways.write(call as CallOf<V>) : undefined),
  };
}

function pathIn(input: JsonObject): string | undefined {
  return stringAt(input, 'file_path') ?? stringAt(input, 'absolute_path');
}

function hasOnly(input: JsonObject, ...names: string[]): boolean {
  return Object.keys(input).every((name) => names.includes(name));
}

/** The fields that are there. */
function some<T extends { readonly [field: string]: string | number | undefined }>(
  fields: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // Only entries that are there are kept, which the checker cannot see.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
