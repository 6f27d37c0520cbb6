/** The reader of Cursor's chats: which kind of record is read where, and what is known while a chat is. */

import { objectAt, stringAt } from '../../model/json.ts';
import type { DecoderState, Disposition, FileContext, Given, Reader, SourceFile } from '../adapter.ts';
import { discover, fileOf, sourceAt, sourcesIn } from './discover.ts';
import { load } from './load.ts';
import { readChat } from './read-chat.ts';
import type { ChatState } from './read-chat.ts';
import { messageAt, readMessage } from './read-message.ts';
import type { MessageState } from './read-message.ts';
import { readStore } from './read-store.ts';
import type { StoreState } from './read-store.ts';
import { readTranscript } from './read-transcript.ts';
import type { TranscriptState } from './read-transcript.ts';
import { transcriptOf } from './transcripts.ts';

/** The reader of Cursor's chats. */
export const reader: Reader = { discover, sourceAt, sourcesIn, fileOf, load, opaque: [], start, decode, settle, holds };

/** What is known while a file is read, whichever kind it is. */
type State = ChatState & MessageState & StoreState & TranscriptState;

function start(_file: FileContext): DecoderState {
  const state: State = {
    time: null,
    model: null,
    chatModel: null,
    response: null,
    hasCalled: false,
    answer: null,
    last: null,
    told: null,
    leaf: null,
    isKnown: false,
  };
  return { ...state };
}

function decode(record: unknown, state: DecoderState, given: Given): Disposition {
  // A state of ours was made by `start`, and JSON keeps its shape.
  const known = state as unknown as State;
  if (transcriptOf(given.file.key) !== undefined) return readTranscript(record, known, given);
  if (given.file.key === 'store') return readStore(record, known, given);
  const name = stringAt(record, 'bubble');
  if (name !== undefined && name !== '') return readMessage(record, name, known, given);
  const chat = objectAt(record, 'chat');
  if (chat !== undefined) return readChat(chat, stringAt(record, 'last') ?? null, known, given);
  given.sink.loss('unknown:record');
  return 'unknown';
}

function settle(state: DecoderState, given: Given): void {
  const known = state as unknown as State; // As in `decode`.
  if (given.file.agentId !== undefined) return;
  const leaf = known.leaf ?? messageAt(known.last, given);
  if (leaf === null || leaf === known.told) return;
  given.sink.live({ op: 'leaf', id: leaf });
  known.told = leaf;
}

/** A transcript beside a database has nothing of its own. */
function holds(_file: SourceFile, state: DecoderState): boolean {
  return !(state as unknown as State).isKnown; // As in `decode`.
}
