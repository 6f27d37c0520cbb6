/**
 * What a session tells a model, put together anew from its messages: the measure for what writers make. It holds the whole
 * session at once and knows no tool.
 */

import { isKnown } from '../../src/model/block.ts';
import type { Block, ImageBlock } from '../../src/model/block.ts';
import { goesAlong } from '../../src/model/message.ts';
import type { Message } from '../../src/model/message.ts';

/** One side's words until the other's. A person's messages stay apart; how a model's answer is cut up does not count. */
export interface Turn {
  readonly who: 'person' | 'model';
  readonly parts: Part[];
  /** The tool's own words, as its reader says. */
  readonly isMeta: boolean;
  /** It stands for earlier turns. */
  readonly isSummary: boolean;
}

/** A part of a turn. */
export type Part =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly image: ImageBlock }
  | ToldCall;

/** A call and what it gave. */
export interface ToldCall {
  readonly type: 'call';
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
  result: ToldResult | undefined;
}

/** What a call gave. */
export interface ToldResult {
  readonly text: string;
  readonly isError: boolean;
  readonly images: readonly ImageBlock[];
}

/** What a model is told, and what is left out of it on the way to any tool. */
export interface Told {
  readonly turns: readonly Turn[];
  /** Reasoning in order; not told to a model of another vendor. */
  readonly thinking: readonly string[];
  readonly losses: Map<string, number>;
}

/**
 * What these messages tell. `as`: `live` for a session that is to be written, where what a tool injected stays behind;
 * `read` for what a reader made of a written one, where whatever is in user position is told.
 */
export function toldBy(messages: readonly Message[], as: 'live' | 'read'): Told {
  const teller = new Teller(as);
  for (const message of messages) teller.take(message);
  return teller.told();
}

interface Answer {
  readonly response: string | undefined;
  readonly parts: (Part & { type: 'text' | 'call' })[];
}

class Teller {
  readonly #as: 'live' | 'read';
  readonly #losses = new Map<string, number>();
  readonly #turns: Turn[] = [];
  readonly #thinking: string[] = [];
  readonly #ids = new Set<string>();
  #answer: Answer | undefined;
  /** Said while calls ran: comes behind their answer. */
  #meanwhile: Turn[] = [];

  constructor(as: 'live' | 'read') {
    this.#as = as;
  }

  take(message: Message): void {
    if (message.is_sidechain === true) this.#lose('sub-agent-message');
    else if (message.role === 'assistant') this.#answered(message);
    else if (message.role === 'tool') this.#gave(message);
    else if (this.#as === 'live' ? goesAlong(message) : message.role === 'user') this.#prompted(message);
    else if (this.#as === 'live') this.#lose('injected-context');
  }

  told(): Told {
    this.#close();
    return { turns: this.#turns, thinking: this.#thinking, losses: this.#losses };
  }

  #lose(name: string): void {
    this.#losses.set(name, (this.#losses.get(name) ?? 0) + 1);
  }

  #answered(message: Message): void {
    const response = message.metadata?.response_id;
    // An answer of which nobody says to which response it belongs goes on while its calls run.
    const isSame =
      response === undefined ? this.#isRunning() && this.#meanwhile.length === 0 : response === this.#answer?.response;
    if (!isSame || response !== this.#answer?.response) this.#close();
    this.#answer ??= { response, parts: [] };
    for (const block of message.content) this.#answerBlock(block, this.#answer);
  }

  #answerBlock(block: Block, { parts }: Answer): void {
    if (!isKnown(block)) return this.#lose(`block:${block.type}`);
    switch (block.type) {
      case 'text':
      case 'summary':
        if (block.text.trim() === '') return this.#lose('blank-text');
        parts.push({ type: 'text', text: block.text });
        return;
      case 'thinking':
        this.#thinking.push(block.text);
        return;
      case 'tool_use':
        if (this.#ids.has(block.tool_use_id)) this.#lose('call-id-used-twice');
        this.#ids.add(block.tool_use_id);
        parts.push({ type: 'call', id: block.tool_use_id, name: block.name, input: block.input, result: undefined });
        return;
      case 'image':
        return this.#lose('image-in-answer');
      case 'tool_result':
        return this.#lose('result-without-call');
      default:
        return block satisfies never;
    }
  }

  #gave({ content, metadata }: Message): void {
    const owners = metadata?.result_images ?? {};
    const images = new Map<string, ImageBlock[]>();
    let newest: string | undefined;
    for (const [index, block] of content.entries()) {
      if (!isKnown(block)) continue;
      if (block.type === 'tool_result') newest = block.tool_use_id;
      if (block.type !== 'image') continue;
      const owner = owners[String(index)] ?? newest;
      if (owner === undefined) this.#lose('image-without-call');
      else images.set(owner, [...(images.get(owner) ?? []), block]);
    }
    for (const block of content) {
      if (block.type === 'image') continue;
      if (!isKnown(block) || block.type !== 'tool_result') {
        this.#lose(`block-in-result:${block.type}`);
        continue;
      }
      const calls = this.#calls().filter(({ id }) => id === block.tool_use_id);
      const open = calls.find((call) => call.result === undefined);
      if (open === undefined) {
        this.#lose(calls.length === 0 ? 'result-without-call' : 'result-twice');
        continue;
      }
      open.result = {
        text: block.content,
        isError: block.is_error === true,
        images: images.get(block.tool_use_id) ?? [],
      };
      images.delete(block.tool_use_id);
    }
    for (const left of images.values()) for (const _ of left) this.#lose('image-without-call');
  }

  #calls(): ToldCall[] {
    return (this.#answer?.parts ?? []).filter((part) => part.type === 'call');
  }

  /** Is there a call whose result may still come? */
  #isRunning(): boolean {
    return this.#calls().some((call) => call.result === undefined);
  }

  #prompted(message: Message): void {
    const parts: Part[] = [];
    for (const block of message.content) {
      if (!isKnown(block)) this.#lose(`block:${block.type}`);
      else if (block.type === 'image') parts.push({ type: 'image', image: block });
      else if (block.type !== 'text' && block.type !== 'summary') this.#lose(`block-in-prompt:${block.type}`);
      else if (block.text.trim() === '') this.#lose('blank-text');
      else parts.push({ type: 'text', text: block.text });
    }
    if (parts.length === 0) return;
    const turn: Turn = {
      who: 'person',
      parts,
      isMeta: message.is_meta === true,
      isSummary: message.content.some((block) => block.type === 'summary'),
    };
    if (this.#isRunning()) this.#meanwhile.push(turn);
    else {
      this.#close();
      this.#turns.push(turn);
    }
  }

  #close(): void {
    for (const call of this.#calls()) if (call.result === undefined) this.#lose('call-without-result');
    if (this.#answer !== undefined && this.#answer.parts.length > 0) {
      const before = this.#turns.at(-1);
      if (before?.who === 'model') before.parts.push(...this.#answer.parts);
      else this.#turns.push({ who: 'model', parts: [...this.#answer.parts], isMeta: false, isSummary: false });
    }
    this.#turns.push(...this.#meanwhile);
    this.#answer = undefined;
    this.#meanwhile = [];
  }
}
