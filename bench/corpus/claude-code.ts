/** Claude Code sessions in the shape of the recordings: rows in one chain, responses split by block, the tool's own bulk. */

import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Recordings, firstBlock, objectAt } from './recordings.ts';
import type { Native } from './recordings.ts';
import { Random } from './random.ts';
import { Sheet } from './sheet.ts';
import { Clock, answerSize, promptSize, resultSize, roundsOf } from './story.ts';
import type { Story } from './story.ts';
import type { Text } from './text.ts';

/** Share of sessions with `prompt_snapshot` and `api-request*`, which 2.1.3xx began to write. */
const bulkShare = 0.5;
/** A longer output of a command goes to a file of its own. */
const bashLimit = 30_000;
const readLimit = 100_000;

const model = 'claude-opus-5-5';

/** What the tool's own bulk weighs in 2.1.3xx, in characters; the recordings have it cut short. */
const bulkSize = {
  promptSnapshot: 8000,
  snapshotTools: 49_000,
  skillListing: 14_000,
  agentListing: 5000,
  requestBlob: 11_000,
};

/** The records of one session that all others are made from. */
interface Templates {
  readonly prompt: Native;
  readonly attachments: readonly Native[];
  readonly snapshots: readonly Native[];
  readonly text: Native;
  readonly thinking: Native;
  readonly call: Native;
  readonly bash: Native;
  readonly read: Native;
  readonly edit: Native;
  readonly agentResult: Native;
  readonly agentMeta: Native;
  readonly side: Readonly<Record<SideKind, Native>>;
}

const sideKinds = [
  'queue-operation',
  'last-prompt',
  'cost-state',
  'mode',
  'atis-latch',
  'tools-used',
  'file-history-snapshot',
  'custom-title',
  'api-request',
  'api-request-shape',
  'api-request-blob',
] as const;
type SideKind = (typeof sideKinds)[number];

const firstAttachments = [
  'environment',
  'model',
  'deferred_tools_delta',
  'agent_listing_delta',
  'skill_listing',
  'session_context',
  'date',
  'remote_session_change',
];

/** Writes sessions below `<home>/projects`. */
export class ClaudeCode {
  readonly #home: string;
  readonly #templates: Templates;

  constructor(home: string, text: Text) {
    this.#home = home;
    const random = new Random('claude-code');
    this.#templates = templatesOf(new Recordings('claude-code', text, random), (size) => text.prose(random, size));
  }

  /** Writes one session; its native id. */
  write(story: Story): string {
    const sessionId = story.random.uuid();
    const folder = join(this.#home, 'projects', story.cwd.replaceAll(/[^a-zA-Z0-9]/g, '-'));
    const hasBulk = !story.isBrief && story.random.chance(bulkShare);
    new Conversation(this.#templates, story, { sessionId, folder, hasBulk, agent: undefined }).write();
    return sessionId;
  }
}

interface Place {
  readonly sessionId: string;
  readonly folder: string;
  readonly hasBulk: boolean;
  /** Set in a sub-agent's own file: its id and what it was asked. */
  readonly agent: { readonly id: string; readonly prompt: string } | undefined;
}

/** One file of rows. */
class Conversation {
  readonly #templates: Templates;
  readonly #story: Story;
  readonly #place: Place;
  readonly #sheet: Sheet;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #text: Text;
  #parent: string | null = null;
  #prompt = '';
  #promptId = '';
  #turn = 0;
  #rows = 0;
  #request: string | undefined;
  #shape = '';
  #inputTokens = 12_000;
  /** Native bytes written beside the main file. */
  #beside = 0;

  constructor(templates: Templates, story: Story, place: Place) {
    this.#templates = templates;
    this.#story = story;
    this.#place = place;
    this.#random = story.random;
    this.#text = story.text;
    this.#clock = new Clock(story.random, story.startMs);
    const { folder, sessionId, agent } = place;
    this.#sheet = new Sheet(
      agent === undefined
        ? join(folder, `${sessionId}.jsonl`)
        : join(folder, sessionId, 'subagents', `agent-${agent.id}.jsonl`),
    );
  }

  /** Writes turns until the session weighs enough; when it ended, and its bytes. */
  write(): { readonly endMs: number; readonly bytes: number } {
    const { agent } = this.#place;
    if (agent !== undefined) this.#turnOf(agent.prompt);
    else
      while (this.#turn === 0 || this.#sheet.size + this.#beside < this.#story.bytes)
        this.#turnOf(this.#text.prose(this.#random, promptSize(this.#story)));
    if (agent === undefined && this.#random.chance(0.1))
      this.#side('custom-title', { customTitle: this.#text.prose(this.#random, 30).slice(0, 60) });
    this.#sheet.close(this.#clock.ms);
    return { endMs: this.#clock.ms, bytes: this.#sheet.size };
  }

  #turnOf(prompt: string): void {
    const { agent, hasBulk } = this.#place;
    this.#clock.after(this.#turn === 0 ? 1 : 90);
    this.#turn += 1;
    this.#prompt = prompt;
    this.#promptId = this.#random.uuid();
    const uuid = this.#random.uuid();
    if (agent === undefined) {
      this.#side('queue-operation', { operation: 'enqueue', timestamp: this.#clock.now, content: prompt });
      this.#side('queue-operation', { operation: 'dequeue', timestamp: this.#clock.now, content: undefined });
      this.#side('file-history-snapshot', {
        messageId: uuid,
        snapshot: { messageId: uuid, trackedFileBackups: {}, timestamp: this.#clock.now },
        sessionId: undefined,
      });
    }
    this.#row(this.#templates.prompt, { promptId: this.#promptId, message: { role: 'user', content: prompt } }, uuid);
    if (this.#turn === 1) this.#beginning(hasBulk);
    for (let rounds = roundsOf(this.#story); rounds > 0; rounds -= 1) this.#round();
    this.#respond([{ type: 'text', text: this.#text.prose(this.#random, answerSize(this.#random)) }], 'end_turn');
    if (agent === undefined) this.#end();
  }

  /** What the tool puts behind the first prompt. */
  #beginning(hasBulk: boolean): void {
    for (const attachment of this.#templates.attachments) this.#row(attachment, {});
    if (!hasBulk) return;
    for (const row of this.#templates.snapshots) this.#row(row, {});
    this.#shape = this.#random.hex(64);
    this.#side('api-request-shape', { shapeHash: this.#shape, timestamp: this.#clock.now });
    this.#side('api-request-blob', { hash: this.#random.hex(64) });
  }

  /** One response with calls, and their results. */
  #round(): void {
    const said: Native[] = [];
    if (this.#random.chance(0.25)) {
      const thinking = this.#text.prose(this.#random, answerSize(this.#random));
      said.push({ type: 'thinking', thinking, signature: `${this.#random.hex(400)}` });
    }
    if (this.#random.chance(0.4))
      said.push({ type: 'text', text: this.#text.prose(this.#random, answerSize(this.#random) / 3) });
    const calls = Array.from({ length: this.#random.chance(0.25) ? this.#random.between(2, 4) : 1 }, () =>
      this.#call(),
    );
    const rows = this.#respond(
      [...said, ...calls.map(({ id, name, input }) => ({ type: 'tool_use', id, name, input }))],
      'tool_use',
    );
    calls.forEach((call, at) => {
      this.#clock.after(2);
      this.#row(call.template, {
        promptId: this.#promptId,
        message: {
          role: 'user',
          content: [
            {
              tool_use_id: call.id,
              type: 'tool_result',
              content: call.content,
              ...(call.isBash ? { is_error: false } : {}),
            },
          ],
        },
        toolUseResult: call.result,
        sourceToolAssistantUUID: rows[rows.length - calls.length + at],
      });
    });
  }

  #call(): Call {
    const id = `toolu_01${this.#random.hex(22)}`;
    const path = `${this.#story.cwd}/${this.#text.path(this.#random)}`;
    const which = this.#random.next();
    if (which < 0.35) return this.#read(id, path);
    if (which < 0.55) return this.#edit(id, path);
    if (which < 0.57 && this.#place.agent === undefined) return this.#agent(id);
    return this.#bash(id);
  }

  #bash(id: string): Call {
    const isLong = this.#random.chance(0.01);
    const output = this.#text.output(
      this.#random,
      isLong ? this.#random.between(40_000, 250_000) : resultSize(this.#random, bashLimit),
    );
    const input = {
      command: `cd ${this.#story.cwd} && npm test -- ${this.#text.path(this.#random)} 2>&1 | tail -${this.#random.between(20, 400)}`,
      description: this.#text.prose(this.#random, 20).slice(0, 60),
    };
    const base = { id, name: 'Bash', input, template: this.#templates.bash, isBash: true };
    const result = { stdout: output, stderr: '', interrupted: false, isImage: false, noOutputExpected: false };
    if (!isLong || this.#place.agent !== undefined) return { ...base, content: output, result };
    const file = join(this.#place.folder, this.#place.sessionId, 'tool-results', `b${this.#random.hex(8)}.txt`);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, output);
    utimesSync(file, this.#clock.ms / 1000, this.#clock.ms / 1000);
    this.#beside += output.length;
    return {
      ...base,
      content: `<persisted-output>\nOutput too large (${(output.length / 1024).toFixed(1)}KB). Full output saved to: ${file}\n\nPreview (first 2KB):\n${output.slice(0, 2000)}\n...\n</persisted-output>`,
      result: {
        ...result,
        stdout: output.slice(0, bashLimit),
        persistedOutputPath: file,
        persistedOutputSize: output.length,
      },
    };
  }

  #read(id: string, path: string): Call {
    const content = this.#text.code(this.#random, resultSize(this.#random, readLimit) * 2);
    const lines = content.split('\n');
    return {
      id,
      name: 'Read',
      input: { file_path: path },
      template: this.#templates.read,
      isBash: false,
      content: lines.map((line, at) => `${at + 1}\t${line}`).join('\n'),
      result: {
        type: 'text',
        file: { filePath: path, content, numLines: lines.length, startLine: 1, totalLines: lines.length },
      },
    };
  }

  #edit(id: string, path: string): Call {
    const before = this.#text.code(this.#random, answerSize(this.#random));
    const after = this.#text.code(this.#random, answerSize(this.#random));
    const original = this.#text.code(this.#random, resultSize(this.#random, readLimit) * 2);
    const [oldLines, newLines] = [before.split('\n'), after.split('\n')];
    return {
      id,
      name: 'Edit',
      input: { replace_all: false, file_path: path, old_string: before, new_string: after },
      template: this.#templates.edit,
      isBash: false,
      content: `The file ${path} has been updated successfully. (file state is current in your context — no need to Read it back)`,
      result: {
        filePath: path,
        oldString: before,
        newString: after,
        originalFile: `${original}\n${before}\n`,
        structuredPatch: [
          {
            oldStart: 1,
            oldLines: oldLines.length,
            newStart: 1,
            newLines: newLines.length,
            lines: [...oldLines.map((line) => `-${line}`), ...newLines.map((line) => `+${line}`)],
          },
        ],
        userModified: false,
        replaceAll: false,
      },
    };
  }

  /** A sub-agent with a file of its own, which the call waits for. */
  #agent(id: string): Call {
    const agentId = `a${this.#random.hex(16)}`;
    const prompt = this.#text.prose(this.#random, promptSize(this.#story) * 3);
    const description = this.#text.prose(this.#random, 12).slice(0, 40);
    const { folder, sessionId } = this.#place;
    const { endMs, bytes } = new Conversation(
      this.#templates,
      { ...this.#story, startMs: this.#clock.ms, bytes: 0 },
      { ...this.#place, hasBulk: false, agent: { id: agentId, prompt } },
    ).write();
    this.#beside += bytes;
    const meta = join(folder, sessionId, 'subagents', `agent-${agentId}.meta.json`);
    writeFileSync(meta, JSON.stringify({ ...this.#templates.agentMeta, description, toolUseId: id }));
    utimesSync(meta, endMs / 1000, endMs / 1000);
    this.#clock.ms = endMs;
    const answer = this.#text.prose(this.#random, answerSize(this.#random));
    return {
      id,
      name: 'Agent',
      input: { description, prompt, subagent_type: 'general-purpose', run_in_background: false },
      template: this.#templates.agentResult,
      isBash: false,
      content: [{ type: 'text', text: answer }],
      result: {
        ...objectAt(this.#templates.agentResult, 'toolUseResult'),
        prompt,
        agentId,
        content: [{ type: 'text', text: answer }],
      },
    };
  }

  /** One response: a row a block. The rows' ids. */
  #respond(blocks: readonly Native[], stop: string): string[] {
    const { hasBulk } = this.#place;
    this.#clock.after(6);
    const request = this.#random.uuid();
    if (hasBulk) this.#apiRequest(request);
    const message = {
      id: `msg_01${this.#random.hex(22)}`,
      usage: this.#usage(blocks),
      stop_reason: stop,
    };
    const requestId = `req_01${this.#random.hex(23)}`;
    return blocks.map((block, at) => {
      const { text, thinking, call } = this.#templates;
      const template = block['type'] === 'text' ? text : block['type'] === 'thinking' ? thinking : call;
      return this.#row(template, {
        message: { ...objectAt(template, 'message'), ...message, model, content: [block] },
        apiBlockIndex: at,
        requestId,
        requestRef: hasBulk ? request : undefined,
      });
    });
  }

  #usage(blocks: readonly Native[]): Native {
    const output = Math.ceil(JSON.stringify(blocks).length / 4);
    const cached = this.#inputTokens;
    this.#inputTokens += output + 400;
    return {
      ...objectAt(this.#templates.text, 'message', 'usage'),
      input_tokens: this.#random.between(2, 40),
      cache_creation_input_tokens: output + 300,
      cache_read_input_tokens: cached,
      output_tokens: output,
    };
  }

  /** What 2.1.3xx notes of every request: mostly hashes of what it sent. */
  #apiRequest(id: string): void {
    this.#side('api-request', {
      id,
      timestamp: this.#clock.now,
      shapeHash: this.#shape,
      base: this.#request,
      keep: this.#rows,
      tail: Array.from({ length: this.#random.between(1, 6) }, () => this.#random.hex(64)),
      requestDigest: this.#random.hex(64),
    });
    this.#request = id;
  }

  #end(): void {
    this.#row(
      { parentUuid: null, isSidechain: false, type: 'system', subtype: 'turn_duration' },
      { durationMs: this.#random.between(900, 400_000), messageCount: this.#rows, isMeta: false },
    );
    this.#side('last-prompt', { lastPrompt: this.#prompt.slice(0, 200).replaceAll('\n', ' '), leafUuid: this.#parent });
    this.#side('mode', {});
    this.#side('tools-used', { tools: ['Bash', 'Edit', 'Read'] });
    if (!this.#place.hasBulk) return;
    this.#side('cost-state', {});
    this.#side('atis-latch', {});
  }

  /** Appends a row to the chain; its id. */
  #row(template: Native, fields: Native, uuid = this.#random.uuid()): string {
    const { agent, sessionId } = this.#place;
    this.#sheet.line({
      ...template,
      parentUuid: this.#parent,
      isSidechain: agent !== undefined,
      ...(agent === undefined ? {} : { agentId: agent.id }),
      ...fields,
      uuid,
      timestamp: this.#clock.now,
      userType: 'external',
      entrypoint: 'cli',
      cwd: this.#story.cwd,
      sessionId,
      version: '2.1.330',
      gitBranch: 'main',
      session_id: undefined,
    });
    this.#parent = uuid;
    this.#rows += 1;
    return uuid;
  }

  #side(kind: SideKind, fields: Native): void {
    this.#sheet.line({ ...this.#templates.side[kind], sessionId: this.#place.sessionId, ...fields });
  }
}

interface Call {
  readonly id: string;
  readonly name: string;
  readonly input: Native;
  readonly template: Native;
  readonly isBash: boolean;
  readonly content: unknown;
  readonly result: Native;
}

function templatesOf(recordings: Recordings, prose: (size: number) => string): Templates {
  const attachment = (type: string): Native =>
    recordings.first(`attachment ${type}`, (record) => objectAt(record, 'attachment')['type'] === type);
  const assistant = (type: string): Native =>
    recordings.first(
      `assistant ${type}`,
      (record) =>
        record['type'] === 'assistant' && firstBlock(record)['type'] === type && record['isSidechain'] === false,
    );
  const result = (what: string, fits: (result: Native) => boolean): Native =>
    recordings.first(
      `a result of ${what}`,
      (record) =>
        record['type'] === 'user' && record['isSidechain'] === false && fits(objectAt(record, 'toolUseResult')),
    );
  return {
    prompt: recordings.first(
      'a prompt',
      (record) =>
        record['type'] === 'user' &&
        record['isMeta'] !== true &&
        record['entrypoint'] === 'cli' &&
        record['promptSource'] === 'typed' &&
        typeof objectAt(record, 'message')['content'] === 'string',
    ),
    attachments: firstAttachments.map((type) => {
      const size = { skill_listing: bulkSize.skillListing, agent_listing_delta: bulkSize.agentListing }[type];
      return size === undefined ? attachment(type) : { ...attachment(type), rendered: [{ content: prose(size) }] };
    }),
    snapshots: [snapshot(attachment('prompt_snapshot'), prose, 0), snapshot(attachment('prompt_snapshot'), prose, 12)],
    text: assistant('text'),
    thinking: assistant('thinking'),
    call: assistant('tool_use'),
    bash: result('Bash', (value) => 'stdout' in value),
    read: result('Read', (value) => typeof objectAt(value, 'file')['content'] === 'string'),
    edit: result('Edit', (value) => 'structuredPatch' in value && 'oldString' in value),
    agentResult: result('Agent', (value) => value['status'] === 'completed' && 'agentId' in value),
    agentMeta: {
      agentType: 'general-purpose',
      isBuiltIn: true,
      spawnDepth: 1,
      requestShape: 'foreground',
      model,
      finished: true,
    },
    side: {
      // Every kind is asked for by its own name.
      ...(Object.fromEntries(
        sideKinds.map((kind) => [kind, recordings.first(kind, (record) => record['type'] === kind)]),
      ) as Record<SideKind, Native>),
      'api-request-blob': {
        type: 'api-request-blob',
        message: { role: 'system', content: [{ type: 'text', text: prose(bulkSize.requestBlob) }] },
      },
    },
  };
}

/** The system prompt, and so many definitions of tools. */
function snapshot(template: Native, prose: (size: number) => string, tools: number): Native {
  const each = bulkSize.snapshotTools / 12 / 2;
  const definition = (at: number): Native => ({
    name: `Tool${at}`,
    description: prose(each),
    schema: {
      name: `Tool${at}`,
      input_schema: { type: 'object', properties: { input: { type: 'string', description: prose(each) } } },
    },
  });
  return {
    ...template,
    attachment: {
      ...objectAt(template, 'attachment'),
      systemPrompt: Array.from({ length: 10 }, () => prose(bulkSize.promptSnapshot / 2 / 10)),
      ...(tools === 0 ? {} : { tools: Array.from({ length: tools }, (_, at) => definition(at)) }),
    },
  };
}
