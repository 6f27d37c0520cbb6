/** Does a chat's graph hold together? Asked of what is written for Cursor before it is handed out; nothing of Cursor's is needed. */

import { sha256HexOf } from '../../model/ids.ts';
import { stringAt } from '../../model/json.ts';
import { jsonOf } from './native.ts';
import { Fields } from './protobuf.ts';
import { partsOf, root as numbers } from './stores.ts';

/** What one side of the chat holds, in order. */
type Said = readonly [who: 'user' | 'assistant' | 'call', what: string];

/**
 * What is wrong, a sentence each; none when every blob is named by its hash, everything that is referred to is there, nothing
 * else is, the root's fields ascend, and what the model is sent says the same as what the screen shows.
 */
export function faultsOf(root: Uint8Array, blobs: ReadonlyMap<string, Uint8Array>): readonly string[] {
  const faults: string[] = [];
  for (const [id, data] of blobs) if (sha256HexOf(data) !== id) faults.push(`the hash of blob ${id} is another one`);
  const used = new Set<string>();
  const blobAt = (id: Uint8Array | undefined): Uint8Array => {
    const name = Buffer.from(id ?? []).toString('hex');
    const data = blobs.get(name);
    if (data === undefined) faults.push(`blob ${name === '' ? 'without a name' : name} is missing`);
    used.add(name);
    return data ?? new Uint8Array();
  };
  const state = new Fields(root);
  if (!state.isAscending) faults.push('the fields of the root do not ascend');
  const sent = state.get(numbers.messages).bytes.flatMap((id) => sentBy(jsonOf(blobAt(id))));
  const shown = state.get(numbers.turns).bytes.flatMap((id) => shownBy(blobAt(id), blobAt));
  for (const archive of state.get(numbers.archives).bytes) {
    const held = new Fields(blobAt(archive));
    for (const id of [...held.get(1).bytes, ...held.get(4).bytes]) blobAt(id);
  }
  const at = sent.findIndex((one, index) => one.join('\n') !== shown[index]?.join('\n'));
  if (at !== -1 || sent.length !== shown.length)
    faults.push(
      `what the model is sent and what the screen shows differ at ${at === -1 ? sent.length : at}: ` +
        `${brief(sent[at])} and ${brief(shown[at === -1 ? sent.length : at])}`,
    );
  const unused = [...blobs.keys()].filter((id) => !used.has(id));
  if (unused.length > 0) faults.push(`nothing refers to blob ${unused[0]}`);
  return faults;
}

function brief(said: Said | undefined): string {
  return said === undefined ? 'nothing' : JSON.stringify(said).slice(0, 120);
}

/** A message of what the model is sent. Its images, thinking and results have no counterpart that could be compared. */
function sentBy(message: unknown): Said[] {
  const parts = partsOf(message);
  if (stringAt(message, 'role') === 'user') {
    const texts = parts.flatMap((part) => /^<user_query>\n([\s\S]*)\n<\/user_query>$/.exec(textOf(part))?.[1] ?? []);
    const text = texts.filter((one) => one !== '').join('\n\n');
    return text === '' ? [] : [['user', text]];
  }
  if (stringAt(message, 'role') !== 'assistant') return [];
  return parts.flatMap((part): Said[] => {
    if (stringAt(part, 'type') === 'text') return [['assistant', textOf(part)]];
    return stringAt(part, 'type') === 'tool-call' ? [['call', stringAt(part, 'toolCallId') ?? '']] : [];
  });
}

function textOf(part: unknown): string {
  return stringAt(part, 'text') ?? '';
}

/** A turn of what the screen shows. */
function shownBy(turn: Uint8Array, blobAt: (id: Uint8Array | undefined) => Uint8Array): Said[] {
  const agent = new Fields(new Fields(turn).get(1).bytes[0] ?? new Uint8Array());
  const prompt = decoded(new Fields(blobAt(agent.get(1).bytes[0])).get(1).bytes[0]);
  const steps = agent.get(2).bytes.flatMap((id): Said[] => {
    const step = new Fields(blobAt(id));
    const [text] = step.get(1).bytes;
    if (text !== undefined) return [['assistant', decoded(new Fields(text).get(1).bytes[0])]];
    const [call] = step.get(2).bytes;
    return call === undefined ? [] : [['call', decoded(new Fields(call).get(57).bytes[0])]];
  });
  return [...(prompt === '' ? [] : [['user', prompt] as const]), ...steps];
}

function decoded(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes ?? new Uint8Array());
}
