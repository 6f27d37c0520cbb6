/** How Cursor names the common calls: as its records have them (`params`), and as its models make them (`rawArgs`, transcripts). */

import type { JsonObject } from '../../model/json.ts';
import { countAt, listAt, stringAt } from '../../model/json.ts';
import { defined } from '../shared/vocabulary.ts';
import type { CommonCall, Verb, Vocabulary, Word } from '../shared/vocabulary.ts';

/**
 * The words of Cursor (0.45 to 3.23). Those that `cursor-agent` offers its models are spelled back; a call in the editor's own
 * record has a name of the editor.
 */
export const vocabulary: Vocabulary = [
  ...words('shell', ['Shell', 'run_terminal_command_v2', 'run_terminal_cmd', 'run_terminal_command'], {
    read: (input) => {
      const command = stringAt(input, 'command');
      if (command === undefined || input['is_background'] === true || input['isBackground'] === true) return undefined;
      return {
        verb: 'shell',
        command,
        ...some({
          cwd: textIn(input, 'working_directory', 'cwd'),
          description: stringAt(input, 'explanation') ?? stringAt(input, 'description'),
          timeoutMs: countAt(input, 'timeout'),
        }),
      };
    },
    write: ({ command, cwd, description, timeoutMs }) =>
      defined({ command, working_directory: cwd, timeout: timeoutMs, description }),
  }),
  ...words('read', ['Read', 'read_file_v2', 'read_file'], {
    read: (input) => {
      const path = textIn(
        input,
        'targetFile',
        'target_file',
        'relativeWorkspacePath',
        'relative_workspace_path',
        'file_path',
        'path',
      );
      if (path === undefined) return undefined;
      return { verb: 'read', path, ...some({ offset: countAt(input, 'offset'), limit: countAt(input, 'limit') }) };
    },
    write: ({ path, offset, limit }) => defined({ path, offset, limit }),
  }),
  ...words('edit', ['StrReplace', 'search_replace', 'edit_file_v2', 'edit_file'], {
    read: (input) => {
      const path = textIn(input, 'file_path', 'relativeWorkspacePath', 'targetFile', 'target_file', 'path');
      const before = textIn(input, 'oldString', 'old_string');
      const after = textIn(input, 'newString', 'new_string');
      const content = textIn(input, 'contents');
      if (path === undefined) return undefined;
      if (before !== undefined && after !== undefined)
        return {
          verb: 'edit',
          path,
          before,
          after,
          ...(input['replaceAll'] === true || input['replace_all'] === true ? { all: true } : {}),
        };
      return content === undefined ? undefined : { verb: 'write', path, content };
    },
    write: ({ path, before, after, all }) =>
      defined({ path, old_string: before, new_string: after, replace_all: all === true ? true : undefined }),
  }),
  ...words('write', ['Write', 'write'], {
    read: (input) => {
      const path = textIn(input, 'file_path', 'path');
      const content = textIn(input, 'contents', 'content');
      return path === undefined || content === undefined ? undefined : { verb: 'write', path, content };
    },
    write: ({ path, content }) => ({ path, contents: content }),
  }),
  ...words('search', ['Grep', 'ripgrep_raw_search', 'grep', 'grep_search'], {
    read: (input) => {
      const pattern = textIn(input, 'pattern', 'query');
      if (pattern === undefined) return undefined;
      return {
        verb: 'search',
        pattern,
        ...some({ path: textIn(input, 'path'), glob: textIn(input, 'glob', 'include_pattern') }),
      };
    },
    write: ({ pattern, path, glob }) => defined({ pattern, path, glob }),
  }),
  // What a glob lists is listed below all folders, so a list without one has a name of its own.
  ...words('list', ['LS', 'list_dir_v2', 'list_dir'], {
    read: readList,
    write: ({ path, glob }) => (path === undefined || glob !== undefined ? undefined : { path }),
  }),
  ...words('list', ['Glob', 'glob_file_search'], {
    read: readList,
    write: ({ path, glob }) =>
      glob === undefined ? undefined : defined({ glob_pattern: glob, target_directory: path }),
  }),
  ...words('web-search', ['WebSearch', 'web_search'], {
    read: (input) => {
      const query = textIn(input, 'searchTerm', 'search_term', 'query');
      return query === undefined ? undefined : { verb: 'web-search', query };
    },
    write: ({ query }) => ({ search_term: query }),
  }),
  ...words('fetch', ['WebFetch', 'web_fetch', 'fetch'], {
    read: (input) => {
      const url = textIn(input, 'url');
      return url === undefined ? undefined : { verb: 'fetch', url };
    },
    // It asks nothing of the page.
    write: ({ url, prompt }) => (prompt === undefined ? { url } : undefined),
  }),
  ...words('plan', ['TodoWrite', 'todo_write'], {
    read: (input) => {
      if (input['merge'] === true) return undefined;
      const steps = listAt(input, 'todos').flatMap(stepOf);
      return steps.length === 0 ? undefined : { verb: 'plan', steps };
    },
    write: ({ steps }) => ({
      todos: steps.map(({ text, status }, index) => ({ id: String(index + 1), content: text, status })),
      merge: false,
    }),
  }),
  ...words('agent', ['Task', 'task_v2', 'task'], {
    read: (input) => {
      const prompt = textIn(input, 'prompt');
      return prompt === undefined
        ? undefined
        : { verb: 'agent', prompt, ...some({ description: textIn(input, 'description') }) };
    },
    write: ({ prompt, description }) =>
      defined({
        description: description ?? prompt.slice(0, 60).toWellFormed(),
        prompt,
        subagent_type: 'generalPurpose',
      }),
  }),
];

function readList(input: JsonObject): CommonCall {
  return {
    verb: 'list',
    ...some({
      path: textIn(input, 'targetDirectory', 'target_directory', 'directoryPath', 'relative_workspace_path', 'path'),
      glob: textIn(input, 'globPattern', 'glob_pattern'),
    }),
  };
}

/** Common calls of one verb. */
type CallOf<V extends Verb> = Extract<CommonCall, { readonly verb: V }>;

/** One call under its names: the first is spelled back. */
function words<V extends Verb>(
  verb: V,
  names: readonly string[],
  { read, write }: { readonly read: Word['read']; readonly write: (call: CallOf<V>) => JsonObject | undefined },
): Word[] {
  return names.map((name, index) => ({
    verb,
    name,
    read,
    ...(index > 0
      ? {}
      : // Only calls of the word's own verb are handed to it.
        { write: (call) => (call.verb === verb ? write(call as CallOf<V>) : undefined) }),
  }));
}

type Step = Extract<CommonCall, { verb: 'plan' }>['steps'][number];

function stepOf(todo: unknown): Step[] {
  const text = stringAt(todo, 'content');
  const status = stringAt(todo, 'status');
  if (text === undefined || (status !== 'pending' && status !== 'in_progress' && status !== 'completed')) return [];
  return [{ text, status }];
}

/** The first of several spellings that is there. */
function textIn(input: JsonObject, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const text = stringAt(input, name);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Only the fields that are known. */
function some<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): Partial<T> {
  // Leaving out what is undefined leaves what T has.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}
