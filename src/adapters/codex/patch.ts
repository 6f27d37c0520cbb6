/** The patch language of `apply_patch`, read and written; and its hunks as a unified diff for the screen. */

/** What a patch does to one file. */
export interface FilePatch {
  readonly path: string;
  readonly kind: 'add' | 'update' | 'delete';
  readonly moveTo: string | undefined;
  /** Lines of an added file; for an update the lines of each hunk with their mark (` `, `-`, `+`). */
  readonly hunks: readonly (readonly string[])[];
}

const begin = '*** Begin Patch';
const end = '*** End Patch';

/**
 * The files of a patch; `undefined` when the text is no patch.
 *
 *     *** Begin Patch
 *     *** Update File: src/a.ts
 *     @@ class A
 *      kept
 *     -old
 *     +new
 *     *** End Patch
 */
export function parsePatch(text: string): FilePatch[] | undefined {
  const lines = text.trim().split('\n');
  if (lines[0]?.trim() !== begin || lines.at(-1)?.trim() !== end) return undefined;
  const files: { path: string; kind: FilePatch['kind']; moveTo: string | undefined; hunks: string[][] }[] = [];
  for (const line of lines.slice(1, -1)) {
    const file = files.at(-1);
    const head = /^\*\*\* (Add|Update|Delete) File: (.+)$/.exec(line);
    if (head?.[1] !== undefined && head[2] !== undefined) {
      const kind = head[1] === 'Add' ? 'add' : head[1] === 'Update' ? 'update' : 'delete';
      files.push({ path: head[2].trim(), kind, moveTo: undefined, hunks: kind === 'add' ? [[]] : [] });
    } else if (file === undefined) return undefined;
    else if (line.startsWith('*** Move to: ')) file.moveTo = line.slice(13).trim();
    else if (line.startsWith('*** ')) continue;
    else if (file.kind === 'add') file.hunks[0]?.push(line.startsWith('+') ? line.slice(1) : line);
    else if (line.startsWith('@@')) file.hunks.push([]);
    else {
      if (file.hunks.length === 0) file.hunks.push([]);
      file.hunks.at(-1)?.push(line === '' ? ' ' : line);
    }
  }
  return files;
}

/** The text of an added file. */
export function addedText(patch: FilePatch): string {
  const lines = patch.hunks[0] ?? [];
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** The lines of a hunk as they were and as they are. */
export function sidesOf(hunk: readonly string[]): { readonly before: string; readonly after: string } {
  const side = (mark: string): string =>
    hunk
      .filter((line) => line.startsWith(' ') || line.startsWith(mark))
      .map((line) => line.slice(1))
      .join('\n');
  return { before: side('-'), after: side('+') };
}

/** A patch that adds a file. */
export function addPatch(path: string, text: string): string {
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  const lines = body === '' ? [] : body.split('\n').map((line) => `+${line}`);
  return [begin, `*** Add File: ${path}`, ...lines, end, ''].join('\n');
}

/** A patch that replaces lines. */
export function updatePatch(path: string, before: string, after: string): string {
  return [begin, `*** Update File: ${path}`, '@@', ...marked('-', before), ...marked('+', after), end, ''].join('\n');
}

function marked(mark: string, text: string): string[] {
  if (text === '') return [];
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n').map((line) => mark + line);
}

/** Hunks as a unified diff. Where a hunk stands in the file is not known, so each is counted from the one before. */
export function unifiedDiff(patch: FilePatch): string {
  let line = 1;
  return patch.hunks
    .map((hunk) => {
      const before = hunk.filter((text) => !text.startsWith('+')).length;
      const after = hunk.filter((text) => !text.startsWith('-')).length;
      const head = `@@ -${line},${before} +${line},${after} @@`;
      line += Math.max(before, after, 1);
      return `${[head, ...hunk].join('\n')}\n`;
    })
    .join('');
}
