/** Reads the first lines of rollouts, as little of them as is needed. */

import type { Problem } from '../adapter.ts';
import type { Machine } from '../../io/machine.ts';
import type { Header } from './native.ts';
import { headerOf, lineOf, packedEnd } from './native.ts';

const utf8 = new TextDecoder();

/**
 * A file's header. `place` needs the ids only, which stand before the 20 KB of instructions; `base` needs the whole line.
 * `undefined`: the file does not begin with a header (told), or is still empty.
 */
export function readHeader(
  machine: Machine,
  path: string,
  problem: Problem,
  want: 'place' | 'base',
): Header | undefined {
  const isPacked = path.endsWith(packedEnd);
  for (const bytes of want === 'place' ? [4 << 10, 64 << 10, 4 << 20] : [64 << 10, 4 << 20]) {
    const head = isPacked ? machine.readPackedHead(path, bytes) : machine.readHead(path, bytes);
    if (head.length === 0) {
      if ((machine.stat(path)?.sizeBytes ?? 0) > 0)
        problem(path, isPacked ? 'is damaged or cut off' : 'cannot be read');
      return undefined;
    }
    const text = utf8.decode(head);
    const end = text.indexOf('\n');
    if (end < 0 && want === 'place') {
      const header = idsIn(text);
      if (header !== undefined) return header;
    }
    if (end < 0 && head.length >= bytes) continue;
    const header = headerIn(end < 0 ? text : text.slice(0, end));
    if (header === undefined && end >= 0) problem(path, 'does not begin with session metadata');
    return header;
  }
  problem(path, 'does not begin with session metadata');
  return undefined;
}

function headerIn(line: string): Header | undefined {
  try {
    const native = lineOf(JSON.parse(line));
    return native?.type === 'session_meta' ? headerOf(native.payload) : undefined;
  } catch {
    // Half a line, or none of Codex's: the caller says so.
    return undefined;
  }
}

/** The ids in front of the instructions. A quote inside a JSON text is escaped, so no text can pose as a field. */
function idsIn(text: string): Header | undefined {
  const end = text.indexOf('"base_instructions":');
  if (end < 0 || !text.includes('"type":"session_meta"')) return undefined;
  const front = text.slice(0, end);
  const threadId = idAt(front, 'id');
  if (threadId === undefined) return undefined;
  return {
    threadId,
    sessionId: idAt(front, 'session_id'),
    spawnedBy: idAt(front, 'parent_thread_id'),
    forkedFrom: idAt(front, 'forked_from_id'),
    base: undefined,
  };
}

function idAt(text: string, field: string): string | undefined {
  const start = text.indexOf(`"${field}":"`);
  if (start < 0) return undefined;
  const from = start + field.length + 4;
  return text.slice(from, text.indexOf('"', from));
}
