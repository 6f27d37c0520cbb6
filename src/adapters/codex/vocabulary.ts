/** How Codex names the common calls. It has few: almost everything is a shell command or a patch. */

import type { CommonCall, Vocabulary, Word } from '../shared/vocabulary.ts';
import { defined } from '../shared/vocabulary.ts';
import { listAt, numberAt, stringAt } from '../../model/json.ts';
import type { JsonObject } from '../../model/json.ts';
import { addPatch, addedText, parsePatch, sidesOf, updatePatch } from './patch.ts';

/** The words, in the order they are tried. `exec` (code mode) is a script, not a common call. */
export const vocabulary: Vocabulary = [
  // {"cmd":"ls -l","workdir":"/w","yield_time_ms":5000}
  {
    verb: 'shell',
    name: 'exec_command',
    read: (input) => shellOf(stringAt(input, 'cmd'), input, 'workdir', 'justification'),
    write: (call) => (call.verb === 'shell' ? defined({ cmd: call.command, workdir: call.cwd }) : undefined),
  },
  // Older names of the same: {"command":"ls","workdir":"/w","timeout_ms":1000}, {"command":["bash","-lc","ls"],…}
  {
    verb: 'shell',
    name: 'shell_command',
    read: (input) => shellOf(stringAt(input, 'command'), input, 'workdir', 'justification'),
  },
  {
    verb: 'shell',
    name: 'shell',
    read: (input) => shellOf(commandLine(listAt(input, 'command')), input, 'workdir', 'justification'),
  },
  {
    verb: 'shell',
    name: 'local_shell',
    read: (input) => shellOf(commandLine(listAt(input, 'command')), input, 'working_directory', 'none'),
  },
  // {"input":"*** Begin Patch\n*** Update File: a.ts\n@@\n-old\n+new\n*** End Patch\n"}
  { verb: 'edit', name: 'apply_patch', read: editOf, write: patchOfEdit },
  { verb: 'write', name: 'apply_patch', read: writeOf, write: patchOfWrite },
  // {"path":"/w/pixel.png"}
  {
    verb: 'read',
    name: 'view_image',
    read: (input) => {
      const path = stringAt(input, 'path');
      return path === undefined ? undefined : { verb: 'read', path };
    },
    write: (call) => (call.verb === 'read' && isImage.test(call.path) ? { path: call.path } : undefined),
  },
  spoken('read', (call) => (call.verb === 'read' ? readCommand(call) : undefined)),
  spoken('search', (call) => (call.verb === 'search' ? searchCommand(call) : undefined)),
  spoken('list', (call) => (call.verb === 'list' ? listCommand(call) : undefined)),
  // {"explanation":"…","plan":[{"step":"First","status":"completed"}]}; gone from the default models' tools in 0.169, so only read.
  { verb: 'plan', name: 'update_plan', read: planOf },
  // {"type":"search","query":"codex rollout format"}; the provider does it, so a call with a result cannot be written.
  {
    verb: 'web-search',
    name: 'web_search',
    read: (input) => {
      const query = stringAt(input, 'query');
      return query === undefined || query === '' ? undefined : { verb: 'web-search', query };
    },
  },
];

/** What Codex does with a shell command for want of a tool of its own. Read back, such a command is a command. */
function spoken(verb: Word['verb'], command: (call: CommonCall) => string | undefined): Word {
  return {
    verb,
    name: 'exec_command',
    read: () => undefined,
    write: (call) => {
      const cmd = command(call);
      return cmd === undefined ? undefined : { cmd };
    },
  };
}

function shellOf(
  command: string | undefined,
  input: JsonObject,
  cwdField: string,
  whyField: string,
): CommonCall | undefined {
  if (command === undefined || command === '') return undefined;
  const cwd = stringAt(input, cwdField);
  const description = stringAt(input, whyField);
  const timeoutMs = numberAt(input, 'timeout_ms');
  return {
    verb: 'shell',
    command,
    ...(cwd === undefined ? {} : { cwd }),
    ...(description === undefined ? {} : { description }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

/** An argv as one command line; what `bash -lc` runs as it is. */
export function commandLine(argv: readonly unknown[]): string | undefined {
  const words = argv.filter((word) => typeof word === 'string');
  if (words.length === 0 || words.length !== argv.length) return undefined;
  const [shell, flag, script] = words;
  if (words.length === 3 && script !== undefined && isShell.test(shell ?? '') && /^-l?c$/.test(flag ?? ''))
    return script;
  return words.map(quote).join(' ');
}

const isShell = /(?:^|\/)(?:ba|z|da|k)?sh$/;
const isImage = /\.(?:png|jpe?g|gif|webp)$/i;

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function editOf(input: JsonObject): CommonCall | undefined {
  const [file, ...others] = patchesOf(input);
  const [hunk, ...more] = file?.hunks ?? [];
  if (file?.kind !== 'update' || file.moveTo !== undefined || hunk === undefined || others.length + more.length > 0)
    return undefined;
  return { verb: 'edit', path: file.path, ...sidesOf(hunk) };
}

function writeOf(input: JsonObject): CommonCall | undefined {
  const [file, ...others] = patchesOf(input);
  return file?.kind !== 'add' || others.length > 0
    ? undefined
    : { verb: 'write', path: file.path, content: addedText(file) };
}

function patchesOf(input: JsonObject): NonNullable<ReturnType<typeof parsePatch>> {
  return parsePatch(stringAt(input, 'input') ?? stringAt(input, 'patch') ?? '') ?? [];
}

function patchOfEdit(call: CommonCall): JsonObject | undefined {
  if (call.verb !== 'edit' || call.all === true || call.before === '' || isUnsafe(call.path)) return undefined;
  return { input: updatePatch(call.path, call.before, call.after) };
}

function patchOfWrite(call: CommonCall): JsonObject | undefined {
  return call.verb !== 'write' || isUnsafe(call.path) ? undefined : { input: addPatch(call.path, call.content) };
}

/** A path that would end its line of the patch. */
function isUnsafe(path: string): boolean {
  return path === '' || /[\r\n]/.test(path) || path !== path.trim();
}

function readCommand(call: CommonCall & { verb: 'read' }): string {
  const path = quote(call.path);
  if (call.offset === undefined && call.limit === undefined) return `cat ${path}`;
  const from = call.offset ?? 1;
  return `sed -n '${from},${call.limit === undefined ? '$' : from + call.limit - 1}p' ${path}`;
}

function searchCommand(call: CommonCall & { verb: 'search' }): string {
  const glob = call.glob === undefined ? '' : ` -g ${quote(call.glob)}`;
  return `rg -n${glob} -e ${quote(call.pattern)}${call.path === undefined ? '' : ` ${quote(call.path)}`}`;
}

function listCommand(call: CommonCall & { verb: 'list' }): string {
  const path = call.path === undefined ? '' : ` ${quote(call.path)}`;
  return call.glob === undefined ? `ls${path}` : `rg --files -g ${quote(call.glob)}${path}`;
}

function planOf(input: JsonObject): CommonCall | undefined {
  const steps = listAt(input, 'plan').flatMap((item) => {
    const text = stringAt(item, 'step');
    const status = stringAt(item, 'status');
    if (text === undefined || (status !== 'pending' && status !== 'in_progress' && status !== 'completed')) return [];
    return [{ text, status } as const];
  });
  return steps.length === 0 || steps.length !== listAt(input, 'plan').length ? undefined : { verb: 'plan', steps };
}
