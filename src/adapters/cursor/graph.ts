/**
 * A conversation as Cursor keeps it: blobs named by the hash of what they hold, and a root that lists them twice, as JSON what
 * the model is sent (field 1) and as turns what the screen shows (field 8). Both are made of the same steps. The README says
 * which message is what.
 */

import type { ImageBlock, ThinkingBlock } from '../../model/block.ts';
import { sha256Hex, sha256HexOf } from '../../model/ids.ts';
import type { JsonObject } from '../../model/json.ts';
import type { LiveSession, LoadedRow, Losses } from '../adapter.ts';
import { conversation, imageLoss, lose, whole, wordFor } from '../shared/conversation.ts';
import type { Call, Prompt, Response } from '../shared/conversation.ts';
import { isoOf } from './native.ts';
import { bytesField, message, numberField } from './protobuf.ts';
import { callStep, textStep, thinkingStep } from './steps.ts';
import { chainId, messageRow, promptTime, root } from './stores.ts';

/** A value under its name: lower-case hex of its sha256. */
export interface Blob {
  readonly id: string;
  readonly data: Uint8Array;
}

/** One message of what the model is sent. */
export interface Piece {
  /** What `load` will tell of it. */
  readonly row: LoadedRow;
  /** The message it was made from; where it was made from several, the last one. */
  readonly from: string;
  /** What was made up to it and is not in an earlier piece. */
  readonly blobs: readonly Blob[];
}

/** What stands behind the last message. */
export interface End {
  readonly root: Blob;
  readonly blobs: readonly Blob[];
  /** The id of the last message; `null` when nothing was said. */
  readonly last: string | null;
}

/** Where the chat goes on. */
export interface Place {
  /** Absolute. */
  readonly cwd: string;
  /** ISO 8601, for messages without a time. */
  readonly now: string;
  /** A seed for ids: the same one gives the same chat. */
  readonly nativeId: string;
}

/** The messages in order; returns what stands behind them. Holds one turn, and 32 bytes a message. */
export function* graphOf(session: LiveSession, place: Place, losses: Losses): Generator<Piece, End> {
  const graph = new Graph(session, place, losses);
  for (const step of conversation(session.messages, losses))
    yield* step.kind === 'prompt' ? graph.prompt(step) : graph.response(step);
  return graph.end();
}

/** A turn that goes on. */
interface Turn {
  readonly prompt: Uint8Array;
  readonly steps: Uint8Array[];
  readonly request: string | undefined;
  readonly beginMs: number;
}

class Graph {
  readonly #place: Place;
  readonly #losses: Losses;
  /** Thinking, ids and models are given back to the tool that made them. */
  readonly #isOwn: boolean;
  #blobs: Blob[] = [];
  readonly #messages: Uint8Array[] = [];
  readonly #turns: Uint8Array[] = [];
  /** When each turn began and ended, milliseconds since 1970. */
  readonly #times: (readonly [beginMs: number, endMs: number])[] = [];
  #turn: Turn | undefined;
  #last: string | null = null;
  #count = 0;
  #clockMs = 0;
  /** The newest time that the files state. */
  #stated: string | undefined;

  constructor(session: LiveSession, place: Place, losses: Losses) {
    this.#place = place;
    this.#losses = losses;
    this.#isOwn = session.origin.tool === 'cursor' && session.origin.captured === true;
  }

  *prompt(prompt: Prompt): Generator<Piece> {
    const atMs = this.#time(prompt.timestamp);
    const texts: string[] = [];
    const content = prompt.content.map((block) => {
      const image = block.type === 'image' ? this.#image(block) : undefined;
      if (image !== undefined) return image;
      const text = block.type === 'text' ? block.text : wordFor(block);
      texts.push(text);
      return textPart(marked(text));
    });
    // By its marks Cursor knows a prompt.
    if (texts.length === 0) content.unshift(textPart(marked('')));
    this.#begin(texts.join('\n\n'), atMs, prompt.turnId);
    const cursor = this.#isOwn && prompt.turnId !== undefined ? { requestId: prompt.turnId } : undefined;
    yield this.#say(
      {
        role: 'user',
        content,
        ...options({ ...(cursor && { cursor }), ...(prompt.isSummary ? { sessionfs: { isSummary: true } } : {}) }),
      },
      prompt.from,
      atMs,
    );
  }

  *response(response: Response): Generator<Piece> {
    const atMs = this.#time(response.timestamp);
    // What was said before any prompt.
    if (this.#turn === undefined) this.#begin('', atMs, undefined);
    const content: JsonObject[] = [];
    for (const part of response.parts) {
      if (part.type === 'text') {
        content.push(textPart(part.text));
        this.#show(textStep(part.text, atMs));
      } else if (part.type === 'thinking') {
        if (part.block.text.trim() !== '') this.#show(thinkingStep(part.block.text.toWellFormed()));
        if (this.#isOwn) content.push(this.#thought(part.block));
        else lose(this.#losses, 'thinking');
      } else {
        const name = nameOf(part);
        if (name !== part.name) lose(this.#losses, 'call-name');
        content.push({ type: 'tool-call', toolCallId: this.#idOf(part), toolName: name, args: part.input });
        this.#show(callStep({ ...part, name }, this.#idOf(part), this.#place.cwd));
      }
    }
    if (content.length === 0) return;
    this.#count += 1;
    const calls = response.parts.filter((part) => part.type === 'call');
    const from = response.parts.at(-1)?.from ?? response.from;
    const { model, turnId } = response;
    const cursor = {
      ...(model === undefined ? {} : { modelName: model }),
      ...(turnId === undefined ? {} : { requestId: turnId }),
    };
    yield this.#say(
      { id: String(this.#count), role: 'assistant', content, ...options(this.#isOwn ? { cursor } : {}) },
      from,
      response.parts.some(({ type }) => type === 'text') ? atMs : undefined,
    );
    for (const call of calls) {
      this.#time(call.result.timestamp);
      yield this.#say(this.#result(call), call.result.from ?? call.from, undefined);
    }
  }

  /** Ends the last turn and makes the root, its fields in ascending order as Cursor writes them. */
  end(): End {
    this.#close();
    const data = Buffer.concat([
      ...this.#messages.map((id) => bytesField(root.messages, id)),
      ...this.#turns.map((id) => bytesField(root.turns, id)),
      bytesField(root.workspaces, uriOf(this.#place.cwd)),
      numberField(root.mode, agentMode),
      ...this.#times.map(([beginMs, endMs]) =>
        bytesField(root.timings, message(numberField(1, endMs - beginMs), numberField(2, endMs))),
      ),
    ]);
    return { root: { id: sha256HexOf(data), data }, blobs: this.#taken(), last: this.#last };
  }

  /** `atMs`: the time that the files state of this very message. */
  #say(said: JsonObject, from: string, atMs: number | undefined): Piece {
    this.#messages.push(this.#put(Buffer.from(JSON.stringify(said), 'utf8')));
    const id = chainId(this.#last, said);
    if (atMs !== undefined) this.#stated = isoOf(atMs);
    const row = messageRow(id, { after: this.#last, at: this.#stated, stated: atMs !== undefined, message: said });
    this.#last = id;
    return { row, from, blobs: this.#taken() };
  }

  #begin(text: string, atMs: number, request: string | undefined): void {
    this.#close();
    const id = uuidOf(`${this.#place.nativeId}\n${this.#turns.length}`);
    const prompt = message(
      bytesField(1, text),
      bytesField(2, id),
      numberField(4, agentMode),
      numberField(promptTime, atMs),
    );
    this.#turn = { prompt: this.#put(prompt), steps: [], request: this.#isOwn ? request : undefined, beginMs: atMs };
    this.#stated = isoOf(atMs);
  }

  #show(step: Buffer): void {
    this.#turn?.steps.push(this.#put(step));
  }

  #close(): void {
    if (this.#turn === undefined) return;
    const { prompt, steps, request, beginMs } = this.#turn;
    const agent = Buffer.concat([
      bytesField(1, prompt),
      ...steps.map((step) => bytesField(2, step)),
      ...(request === undefined ? [] : [bytesField(3, request)]),
    ]);
    this.#turns.push(this.#put(bytesField(1, agent)));
    this.#times.push([beginMs, this.#clockMs]);
    this.#turn = undefined;
  }

  /** Milliseconds since 1970, never before those of the message above. */
  #time(stated: string): number {
    const at = Date.parse(stated);
    if (isoOf(at) !== undefined && at > this.#clockMs) this.#clockMs = at;
    if (this.#clockMs === 0) this.#clockMs = Date.parse(this.#place.now);
    return this.#clockMs;
  }

  #thought({ text, signature, redacted }: ThinkingBlock): JsonObject {
    if (redacted === true && text === '') return { type: 'redacted-reasoning', data: signature ?? '' };
    return { type: 'reasoning', text: whole(text, this.#losses), ...(signature == null ? {} : { signature }) };
  }

  #result(call: Call): JsonObject {
    const { result } = call;
    const images = result.images.map((image) => this.#image(image, 'data') ?? wordFor(image));
    const text = [
      ...(result.text === '' ? [] : [result.text]),
      ...images.filter((one) => typeof one === 'string'),
    ].join('\n');
    const shown = images.filter((one) => typeof one !== 'string');
    const part = {
      type: 'tool-result',
      toolCallId: this.#idOf(call),
      toolName: nameOf(call),
      result: text,
      ...(result.isError ? { isError: true } : {}),
      ...(shown.length === 0 ? {} : { experimental_content: [...(text === '' ? [] : [textPart(text)]), ...shown] }),
    };
    return { role: 'tool', id: this.#idOf(call), content: [part] };
  }

  /** Bytes as hexadecimal text in a prompt, as base64 in a result; `undefined`, and counted, for what no model takes. */
  #image(image: ImageBlock, as: 'image' | 'data' = 'image'): JsonObject | undefined {
    const { type, data, media_type: mediaType } = image.source;
    const bytes = type === 'base64' && mediaType != null && imageTypes.has(mediaType) ? bytesOf(data) : undefined;
    if (bytes === undefined) {
      lose(this.#losses, imageLoss(image));
      return undefined;
    }
    const held = as === 'data' ? data : { __type: 'Uint8Array', hex: bytes.toString('hex') };
    return { type: 'image', [as]: held, mimeType: mediaType };
  }

  /** The call's id; of another tool's that the models' services would not take, a name for it. */
  #idOf({ id }: Call): string {
    return this.#isOwn || /^[\w-]{1,64}$/.test(id) ? id : `call_${sha256Hex(id).slice(0, 24)}`;
  }

  #put(data: Uint8Array): Uint8Array {
    const id = sha256HexOf(data);
    this.#blobs.push({ id, data });
    // A copy of its own: a small buffer would hold on to the larger one it is cut from.
    return Uint8Array.from(Buffer.from(id, 'hex'));
  }

  #taken(): Blob[] {
    const blobs = this.#blobs;
    this.#blobs = [];
    return blobs;
  }
}

/** `AgentMode` that works on files, as opposed to one that only answers or plans. */
const agentMode = 1;

const imageTypes: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

/** `undefined`: it is no base64. */
function bytesOf(base64: string): Buffer | undefined {
  const bytes = Buffer.from(base64, 'base64');
  return base64 !== '' && bytes.toString('base64') === base64 ? bytes : undefined;
}

function textPart(text: string): JsonObject {
  return { type: 'text', text };
}

/** A person's words, in the marks by which Cursor tells them from what it adds. */
function marked(text: string): string {
  return `<user_query>\n${text}\n</user_query>`;
}

/** What belongs to a message beside its content; nothing when there is none. */
function options(byOwner: { readonly [owner: string]: JsonObject }): JsonObject {
  const told = Object.entries(byOwner).filter(([, fields]) => Object.keys(fields).length > 0);
  return told.length === 0 ? {} : { providerOptions: Object.fromEntries(told) };
}

/** What the models' services take: letters, digits, `_` and `-`, up to 64. */
function nameOf({ name }: Call): string {
  return name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 64) || '_';
}

function uuidOf(seed: string): string {
  const hex = sha256Hex(seed);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A folder as a URI. */
export function uriOf(path: string): string {
  const plain = path.replaceAll('\\', '/').toWellFormed();
  const escaped = encodeURI(plain).replaceAll('?', '%3F').replaceAll('#', '%23');
  return `file://${escaped.startsWith('/') ? '' : '/'}${escaped}`;
}
