/** How Cursor names the common calls: as its records have them (`params`), and as its models make them (`rawArgs`, transcripts). */

import type { JsonObject } from '../../model/json.ts';
import { countAt, listAt, stringAt } from '../../model/json.ts';
import type { CommonCall, Verb, Vocabulary, Word } from '../shared/vocabulary.ts';

/** The words of Cursor (0.45 to 3.19). Sessions are not written for it, so none is spelled back. */
export const vocabulary: Vocabulary = [
  ...words('shell', ['run_terminal_command_v2', 'run_terminal_cmd', 'run_terminal_command', 'Shell'], (input) => {
    const command = stringAt(input, 'command');
    if (command === undefined || input['is_background'] === true || input['isBackground'] === true) return undefined;
    return {
      verb: 'shell',
      command,
      ...some({
        cwd: stringAt(input, 'cwd'),
        description: stringAt(input, 'explanation') ?? stringAt(input, 'description'),
      }),
    };
  }),
  ...words('read', ['read_file_v2', 'read_file', 'Read'], (input) => {
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
  }),
  ...words('edit', ['search_replace', 'edit_file_v2', 'edit_file', 'StrReplace'], (input) => {
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
  }),
  ...words('write', ['write', 'Write'], (input) => {
    const path = textIn(input, 'file_path', 'path');
    const content = textIn(input, 'contents', 'content');
    return path === undefined || content === undefined ? undefined : { verb: 'write', path, content };
  }),
  ...words('search', ['ripgrep_raw_search', 'grep', 'grep_search', 'Grep'], (input) => {
    const pattern = textIn(input, 'pattern', 'query');
    if (pattern === undefined) return undefined;
    return {
      verb: 'search',
      pattern,
      ...some({ path: textIn(input, 'path'), glob: textIn(input, 'glob', 'include_pattern') }),
    };
  }),
  ...words('list', ['list_dir_v2', 'list_dir', 'glob_file_search'], (input) => ({
    verb: 'list',
    ...some({
      path: textIn(input, 'targetDirectory', 'target_directory', 'directoryPath', 'relative_workspace_path', 'path'),
      glob: textIn(input, 'globPattern', 'glob_pattern'),
    }),
  })),
  ...words('web-search', ['web_search'], (input) => {
    const query = textIn(input, 'searchTerm', 'search_term', 'query');
    return query === undefined ? undefined : { verb: 'web-search', query };
  }),
  ...words('fetch', ['web_fetch', 'fetch'], (input) => {
    const url = textIn(input, 'url');
    return url === undefined ? undefined : { verb: 'fetch', url };
  }),
  ...words('plan', ['todo_write'], (input) => {
    if (input['merge'] === true) return undefined;
    const steps = listAt(input, 'todos').flatMap(stepOf);
    return steps.length === 0 ? undefined : { verb: 'plan', steps };
  }),
  ...words('agent', ['task_v2', 'task'], (input) => {
    const prompt = textIn(input, 'prompt');
    return prompt === undefined
      ? undefined
      : { verb: 'agent', prompt, ...some({ description: textIn(input, 'description') }) };
  }),
];

function words(verb: Verb, names: readonly string[], read: (input: JsonObject) => CommonCall | undefined): Word[] {
  return names.map((name) => ({ verb, name, read }));
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
