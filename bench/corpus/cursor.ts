/**
 * A `User` folder of Cursor in the shape of the fixtures: chats of two generations in one database, most of whose bytes are
 * nobody's messages (the model's side of the chats, states of files).
 */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../scratch.ts';
import { Random } from './random.ts';
import { objectAt, objectOf } from './recordings.ts';
import type { Native } from './recordings.ts';
import { Clock, answerSize, promptSize, resultSize } from './story.ts';
import type { Story } from './story.ts';
import { Text } from './text.ts';

/** Counts up when the generator makes something else of the same parameters. */
const revision = 1;

/** A folder on the disk. */
export interface CursorCorpus {
  /** What `XDG_CONFIG_HOME` is set to; the `User` folder is `Cursor/User` below it. */
  readonly config: string;
  /** The global database, absolute. */
  readonly database: string;
  readonly chats: number;
  readonly messages: number;
  /** Of the global database. */
  readonly bytes: number;
}

/** Where the global database lies below {@link CursorCorpus.config}. */
export const databaseIn = (config: string): string => join(config, 'Cursor/User/globalStorage/state.vscdb');

const seed = 'cursor';
/** As many as the largest installation had whose rows somebody counted. */
const usual = { chats: 2473, messages: 56_085, bytes: 2e9, workspaces: 40 };
/** Of the file's bytes; the others are indexes, and ends of pages. */
const valueShare = 0.85;
const startMs = Date.UTC(2025, 4, 1);
const days = 570;
/** Chats before this share of the time are of the generation before `conversationState`. */
const newerFrom = 0.55;

/** The database of 2 GB, `scale` times that; made when it is not there yet. */
export function cursorCorpusAt(scale: number, progress: (text: string) => void): CursorCorpus {
  const key = createHash('sha256').update(JSON.stringify([revision, usual, scale]));
  for (const version of versions) key.update(readFileSync(fixtureOf(version)));
  const folder = join(cacheFolder(), `cursor-${key.digest('hex').slice(0, 12)}`);
  if (!existsSync(join(folder, 'done'))) make(folder, scale, progress);
  const config = join(folder, 'config');
  const database = databaseIn(config);
  // Written by `make`.
  const counts = JSON.parse(readFileSync(join(folder, 'done'), 'utf8')) as Pick<CursorCorpus, 'chats' | 'messages'>;
  return { config, database, ...counts, bytes: statSync(database).size };
}

function make(folder: string, scale: number, progress: (text: string) => void): void {
  const unfinished = `${folder}.unfinished`;
  for (const old of [unfinished, folder]) rmSync(old, { recursive: true, force: true });
  const text = new Text(seed);
  const random = new Random(seed);
  const chats = Math.max(12, Math.round(usual.chats * scale));
  const cursor = new Cursor(
    join(unfinished, 'config'),
    text,
    Math.max(2, Math.round(usual.workspaces * scale)),
    usual.bytes / usual.messages,
  );
  const weights = Array.from({ length: chats }, () => random.logNormal(1, 1.35));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  for (const [at, weight] of weights.entries()) {
    const age = at / chats;
    const messages = Math.max(2, Math.round((weight / sum) * usual.messages * scale));
    cursor.write(new Random(`${seed}/${at}`), messages, startMs + age * days * 86_400_000, age >= newerFrom);
    if (at % 500 === 499) progress(`cursor: ${at + 1} of ${chats} chats`);
  }
  const messages = cursor.close();
  writeFileSync(join(unfinished, 'done'), JSON.stringify({ chats, messages }));
  renameSync(unfinished, folder);
}

/** Writes chats into one database, the oldest first. */
class Cursor {
  readonly #text: Text;
  readonly #templates = templatesOf();
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #list: StatementSync;
  readonly #workspaces: readonly Workspace[];
  readonly #bytesPerMessage: number;
  /** What files and outputs in the model's side are cut from. */
  readonly #pool: string;
  readonly #heads: Native[] = [];
  /** The chat that a sub-agent's belongs to, and the call that started it. */
  #parent: { readonly id: string; readonly call: string } | undefined;
  #messages = 0;

  constructor(config: string, text: Text, workspaces: number, bytesPerMessage: number) {
    const path = databaseIn(config);
    mkdirSync(join(path, '..'), { recursive: true });
    this.#text = text;
    this.#bytesPerMessage = bytesPerMessage;
    const random = new Random(`${seed}/workspaces`);
    this.#pool = text.code(random, 1 << 20) + text.output(random, 1 << 20);
    this.#workspaces = Array.from({ length: workspaces }, () => workspaceIn(config, random, text));
    this.#database = new DatabaseSync(path);
    this.#database.exec(`pragma journal_mode = off; pragma synchronous = off; pragma user_version = 1; begin;
      create table ItemTable (key text unique on conflict replace, value blob);
      create table cursorDiskKV (key text unique on conflict replace, value blob);
      create table composerHeaders (composerId text primary key, workspaceId text, createdAt integer, lastUpdatedAt integer,
        isArchived integer, isSubagent integer, recency integer, checkpointAt integer, subagentTypeName text, value text);
      create index idx_composerHeaders_0 on composerHeaders(workspaceId, isSubagent, isArchived, recency);
      create index idx_composerHeaders_1 on composerHeaders(recency, composerId)`);
    this.#put = this.#database.prepare('insert into cursorDiskKV values (?, ?)');
    this.#list = this.#database.prepare('insert into composerHeaders values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  }

  /** One chat of so many messages. `isNewer`: of 3.x. */
  write(random: Random, messages: number, atMs: number, isNewer: boolean): void {
    const workspace = random.pick(this.#workspaces);
    const chat = new Chat(random, this.#text, this.#templates, atMs, workspace, isNewer);
    const prefix = `bubbleId:${chat.id}:`;
    let bytes = 0;
    const put = (key: string, value: string | Uint8Array | null): void => {
      this.#put.run(key, value);
      bytes += value?.length ?? 0;
    };
    const state: Buffer[] = [];
    for (let at = 1; at <= messages; at += 1) {
      const bubble = chat.next(messages - at);
      put(prefix + String(bubble['bubbleId']), JSON.stringify(bubble));
      // An answer made again leaves the first one; a message taken back leaves an empty row.
      if (random.chance(0.04)) put(prefix + random.uuid(), JSON.stringify({ ...bubble, bubbleId: random.uuid() }));
      if (random.chance(0.01)) put(prefix + random.uuid(), null);
      while (bytes < at * this.#bytesPerMessage * valueShare) this.#bulk(random, chat, isNewer, put, state);
    }
    const { name, headers, endMs } = chat;
    const about = { name, createdAt: atMs, lastUpdatedAt: endMs };
    const template = isNewer ? this.#templates.newer : this.#templates.older;
    const parent = isNewer && random.chance(0.06) ? this.#parent : undefined;
    const startedBy = parent && {
      subagentInfo: {
        subagentType: 3,
        parentComposerId: parent.id,
        subagentTypeName: 'explore',
        toolCallId: parent.call,
      },
    };
    // Older chats tell their folder through the windows that had them.
    const place = isNewer ? { workspaceIdentifier: workspace.identifier, ...startedBy } : {};
    const root = { conversationState: `~${Buffer.concat(state).toString('base64')}` };
    const first = { uri: workspace.uri, content: this.#text.code(random, resultSize(random, 40_000)) };
    put(
      `composerData:${chat.id}`,
      JSON.stringify({
        ...template,
        composerId: chat.id,
        ...about,
        status: random.chance(0.1) ? 'aborted' : 'completed',
        fullConversationHeadersOnly: headers,
        originalFileStates: isNewer ? {} : { [String(first.uri['external'])]: first },
        ...place,
        ...(isNewer ? root : {}),
      }),
    );
    this.#messages += messages;
    if (isNewer && parent === undefined && chat.lastCall !== '') this.#parent = { id: chat.id, call: chat.lastCall };
    workspace.chats.push(chat.id);
    // Of the older ones the table has those that were opened since.
    if (!isNewer && !random.chance(0.4)) return;
    const head = { ...this.#templates.head, composerId: chat.id, subtitle: name, ...about, ...place };
    this.#heads.push(head);
    this.#list.run(
      chat.id,
      workspace.id,
      atMs,
      endMs,
      Number(random.chance(0.2)),
      Number(parent !== undefined),
      endMs,
      endMs,
      parent === undefined ? null : 'explore',
      JSON.stringify(head),
    );
  }

  /** Drafts, what the index of before the table has, the workspaces; how many messages the chats list. */
  close(): number {
    const random = new Random(`${seed}/drafts`);
    for (let at = 0; at < 12; at += 1) {
      const id = random.uuid();
      const draft = { ...this.#templates.older, composerId: id, name: '', fullConversationHeadersOnly: [] };
      this.#put.run(`composerData:${id}`, at % 3 === 0 ? null : JSON.stringify(draft));
    }
    const item = this.#database.prepare('insert into ItemTable values (?, ?)');
    item.run('composer.composerHeaders', JSON.stringify({ allComposers: this.#heads.slice(-50) }));
    item.run('composer.composerHeaders.tableGateEnabled', 'true');
    item.run('composer.composerHeaders.migratedToTable', 'true');
    this.#database.exec('commit; pragma journal_mode = wal');
    this.#database.close();
    for (const { path, chats } of this.#workspaces) {
      const database = new DatabaseSync(path);
      database.exec(
        'pragma journal_mode = wal; create table ItemTable (key text unique on conflict replace, value blob)',
      );
      const listed = { allComposers: chats.map((composerId) => ({ composerId, type: 'head' })) };
      database.prepare('insert into ItemTable values (?, ?)').run('composer.composerData', JSON.stringify(listed));
      database.close();
    }
    return this.#messages;
  }

  /** A row beside the messages: a blob of the model's side, or what an older chat kept of files. */
  #bulk(
    random: Random,
    chat: Chat,
    isNewer: boolean,
    put: (key: string, value: string | Uint8Array) => void,
    state: Buffer[],
  ): void {
    const size = Math.round(Math.min(400_000, random.logNormal(12_000, 1.3)));
    const from = random.between(0, this.#pool.length - size);
    const content = this.#pool.slice(from, from + size);
    const kind = isNewer ? 'blob' : random.pick(['blob', 'blob', 'files', 'context'] as const);
    if (kind === 'blob') {
      const result = { type: 'tool-result', toolCallId: chat.lastCall, toolName: 'Read', result: content };
      const blob = Buffer.from(JSON.stringify({ role: 'tool', id: random.uuid(), content: [result] }));
      const id = createHash('sha256').update(blob).digest();
      put(`agentKv:blob:${id.toString('hex')}`, blob);
      state.push(Buffer.of(0x0a, 0x20), id);
    } else if (kind === 'files') {
      const file = { uri: chat.workspace.uri, originalModelDiffWrtV0: [], content };
      put(`checkpointId:${chat.id}:${random.uuid()}`, JSON.stringify({ files: [file], nonExistentFiles: [] }));
    } else put(`messageRequestContext:${chat.id}:${random.uuid()}`, JSON.stringify({ terminalFiles: [content] }));
  }
}

/** What is said in one chat. */
class Chat {
  readonly id: string;
  readonly name: string;
  readonly headers: Native[] = [];
  readonly workspace: Workspace;
  /** Of the call that was made last; empty before the first. */
  lastCall = '';
  readonly #random: Random;
  readonly #text: Text;
  readonly #templates: Templates;
  readonly #clock: Clock;
  readonly #isNewer: boolean;
  /** A third of the older chats tell no times of messages. */
  readonly #isTimed: boolean;
  #untilAnswer = 0;
  #request = '';

  constructor(random: Random, text: Text, templates: Templates, atMs: number, workspace: Workspace, isNewer: boolean) {
    this.id = random.uuid();
    this.name = text.prose(random, 20).slice(0, 48);
    this.workspace = workspace;
    this.#random = random;
    this.#text = text;
    this.#templates = templates;
    this.#clock = new Clock(random, atMs);
    this.#isNewer = isNewer;
    this.#isTimed = isNewer || random.chance(0.67);
  }

  get endMs(): number {
    return this.#clock.ms;
  }

  /** The next message; an answer when no more are `left`. */
  next(left: number): Native {
    const random = this.#random;
    const bubble =
      this.headers.length === 0 || (this.#untilAnswer < 0 && left > 0)
        ? this.#prompt()
        : this.#untilAnswer-- <= 0 || left === 0
          ? this.#answer()
          : random.chance(0.2)
            ? this.#thinking()
            : random.chance(0.25)
              ? this.#said(this.#templates.text, answerSize(random) / 3)
              : this.#call();
    const { createdAt: _recorded, ...rest } = bubble;
    const createdAt = this.#clock.after(bubble['type'] === 1 ? 60 : 5);
    const bubbleId = random.uuid();
    const call = objectAt(bubble, 'toolFormerData');
    const text = String(bubble['text'] ?? '');
    this.headers.push({
      bubbleId,
      type: bubble['type'],
      grouping: {
        isRenderable: true,
        ...(text === '' ? {} : { hasText: true, textPreview: text.slice(0, 100) }),
        ...('tool' in call
          ? {
              capabilityType: 15,
              toolFormerTool: call['tool'],
              toolFormerStatus: call['status'],
              toolCallId: call['toolCallId'],
            }
          : {}),
      },
      ...(this.#isNewer ? { createdAt } : {}),
    });
    return { ...rest, bubbleId, requestId: this.#request, ...(this.#isTimed ? { createdAt } : {}) };
  }

  #prompt(): Native {
    this.#untilAnswer = Math.round(Math.min(60, this.#random.logNormal(7, 0.8)));
    this.#request = this.#random.uuid();
    const text = this.#text.prose(this.#random, promptSize(this.#story));
    const state = { root: { children: [{ children: [{ text, type: 'text', version: 1 }], type: 'paragraph' }] } };
    return { ...this.#templates.prompt, text, richText: JSON.stringify(state), images: [] };
  }

  /** Sizes are drawn as those of the other tools' sessions are. */
  get #story(): Story {
    return {
      random: this.#random,
      text: this.#text,
      bytes: 0,
      isBrief: false,
      isUnbroken: true,
      promptSize: undefined,
      startMs: this.#clock.ms,
      cwd: this.workspace.folder,
    };
  }

  #answer(): Native {
    this.#untilAnswer = -1;
    return this.#said(this.#templates.answer, answerSize(this.#random));
  }

  #said(template: Native, size: number): Native {
    return { ...template, text: this.#text.prose(this.#random, size), codeBlocks: [] };
  }

  #thinking(): Native {
    const text = this.#text.prose(this.#random, answerSize(this.#random));
    const signature = Buffer.from(this.#random.hex(400), 'hex').toString('base64');
    return { ...this.#templates.thinking, thinking: { text, signature } };
  }

  #call(): Native {
    const random = this.#random;
    const which = random.next();
    const template =
      which < 0.45
        ? this.#templates.read
        : which < 0.8 || !this.#isNewer
          ? this.#templates.shell
          : this.#templates.edit;
    const path = `${this.workspace.folder}/${this.#text.path(random)}`;
    this.lastCall = `toolu_${random.hex(24)}`;
    const given =
      template === this.#templates.read
        ? {
            params: { targetFile: path, charsLimit: 100_000, effectiveUri: `file://${path}` },
            result: { contents: this.#text.code(random, resultSize(random, 40_000)), totalLinesInFile: 120 },
          }
        : template === this.#templates.shell
          ? {
              params: { command: `npm test -- ${path}`, cwd: this.workspace.folder, requireUserApproval: true },
              result: { output: this.#text.output(random, resultSize(random, 40_000)), exitCodeV2: 0, rejected: false },
            }
          : {
              params: { relativeWorkspacePath: path, noCodeblock: true, cloudAgentEdit: false },
              result: {
                beforeContentId: `composer.content.${random.hex(64)}`,
                afterContentId: `composer.content.${random.hex(64)}`,
              },
            };
    return {
      ...template,
      toolFormerData: {
        ...objectAt(template, 'toolFormerData'),
        toolCallId: this.lastCall,
        rawArgs: this.#isNewer ? '' : JSON.stringify(given.params),
        params: JSON.stringify(given.params),
        result: JSON.stringify(given.result),
        status: random.chance(0.04) ? 'error' : 'completed',
      },
    };
  }
}

interface Workspace {
  readonly id: string;
  /** Of the project, absolute. */
  readonly folder: string;
  readonly uri: Native;
  readonly identifier: Native;
  /** Its own database. */
  readonly path: string;
  readonly chats: string[];
}

function workspaceIn(config: string, random: Random, text: Text): Workspace {
  const id = random.hex(32);
  const folder = `/home/me/work/${text.name(random).toLowerCase()}-${random.hex(2)}`;
  const place = join(config, 'Cursor/User/workspaceStorage', id);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'workspace.json'), JSON.stringify({ folder: `file://${folder}` }));
  const uri = { $mid: 1, fsPath: folder, external: `file://${folder}`, path: folder, scheme: 'file' };
  return { id, folder, uri, identifier: { id, uri }, path: join(place, 'state.vscdb'), chats: [] };
}

interface Templates {
  readonly prompt: Native;
  readonly thinking: Native;
  readonly text: Native;
  readonly answer: Native;
  readonly read: Native;
  readonly shell: Native;
  readonly edit: Native;
  readonly older: Native;
  readonly newer: Native;
  readonly head: Native;
}

const versions = ['2.6', '3.19'] as const;

function fixtureOf(version: (typeof versions)[number]): string {
  return fileURLToPath(
    new URL(`../../src/adapters/cursor/fixtures/${version}/globalStorage/state.vscdb`, import.meta.url),
  );
}

/** One row of each kind, to be filled anew. */
function templatesOf(): Templates {
  const [older, newer] = versions.map((version) => {
    const database = new DatabaseSync(fixtureOf(version), { readOnly: true });
    const rows = database.prepare('select key, value from cursorDiskKV where value is not null order by key').all();
    database.close();
    return rows.flatMap(({ key, value }): { readonly key: string; readonly record: Native }[] =>
      /^(?:bubbleId|composerData):/.test(String(key)) && typeof value === 'string'
        ? [{ key: String(key), record: objectOf(JSON.parse(value)) }]
        : [],
    );
  });
  const first = (rows: typeof older, what: string, fits: (record: Native, key: string) => boolean): Native => {
    const found = rows?.find(({ key, record }) => fits(record, key));
    if (found === undefined) throw new Error(`no fixture of Cursor has ${what}`);
    return found.record;
  };
  const call = (name: string) => (record: Native) => objectAt(record, 'toolFormerData')['name'] === name;
  const isChat = (record: Native, key: string): boolean => {
    const listed = record['fullConversationHeadersOnly'];
    return key.startsWith('composerData:') && Array.isArray(listed) && listed.length > 2;
  };
  const heads = new DatabaseSync(fixtureOf('3.19'), { readOnly: true });
  const head = heads.prepare('select value from composerHeaders where isSubagent = 0 order by composerId').get();
  heads.close();
  const isText = (record: Native): boolean => record['type'] === 2 && String(record['text'] ?? '') !== '';
  return {
    prompt: first(older, 'a prompt', ({ type }) => type === 1),
    thinking: first(older, 'thinking', (record) => 'thinking' in record),
    text: first(older, 'a text', (record) => isText(record) && !('timingInfo' in record)),
    answer: first(older, 'an answer', (record) => isText(record) && 'timingInfo' in record),
    read: first(older, 'a call of read_file', call('read_file')),
    shell: first(older, 'a call of a command', call('run_terminal_cmd')),
    edit: first(newer, 'an edit', call('edit_file_v2')),
    older: first(older, 'a chat', isChat),
    newer: first(newer, 'a chat', isChat),
    head: objectOf(JSON.parse(String(head?.['value']))),
  };
}

// Run by itself it makes the database: node bench/corpus/cursor.ts [scale]
if (import.meta.main) {
  const { database, chats, messages, bytes } = cursorCorpusAt(Number(process.argv[2] ?? 1), (text) =>
    console.error(text),
  );
  console.log(`${database}: ${chats} chats, ${messages} messages, ${(bytes / 1e6).toFixed(1)} MB`);
}
