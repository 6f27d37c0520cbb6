/** Codex threads in the shape of the recordings (0.148 and later): ordinals, items for people beside items for the model. */

import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from './random.ts';
import { Recordings, objectAt } from './recordings.ts';
import type { Native } from './recordings.ts';
import { Sheet } from './sheet.ts';
import { Clock, answerSize, promptSize, resultSize, roundsOf } from './story.ts';
import type { Story } from './story.ts';
import type { Text } from './text.ts';

/** What people are shown of an output; the model gets less. */
const shownLimit = 64_000;
const modelLimit = 40_000;

interface Templates {
  readonly meta: Native;
  readonly developer: Native;
  readonly context: Native;
  readonly world: Native;
  readonly turnContext: Native;
  readonly settings: Native;
  readonly started: Native;
  readonly complete: Native;
  readonly user: Native;
  readonly userItem: Native;
  readonly reasoning: Native;
  readonly reasoningItem: Native;
  readonly answer: Native;
  readonly answerItem: Native;
  readonly call: Native;
  readonly command: Native;
  readonly output: Native;
  readonly patchCall: Native;
  readonly patch: Native;
  readonly patchOutput: Native;
  readonly usage: Native;
  readonly count: Native;
}

/** Writes threads below `<home>/sessions`. */
export class Codex {
  readonly #home: string;
  readonly #templates: Templates;

  constructor(home: string, text: Text) {
    this.#home = home;
    mkdirSync(home, { recursive: true });
    this.#templates = templatesOf(new Recordings('codex', text, new Random('codex')));
  }

  /** Writes one thread; its id. */
  write(story: Story): string {
    const id = story.random.uuid7(story.startMs);
    new Thread(this.#home, this.#templates, story, id).write();
    if (story.random.chance(0.1)) {
      const name = story.text.prose(story.random, 30).slice(0, 60);
      const entry = { id, thread_name: name, updated_at: new Date(story.startMs).toISOString() };
      appendFileSync(join(this.#home, 'session_index.jsonl'), `${JSON.stringify(entry)}\n`);
    }
    return id;
  }
}

class Thread {
  readonly #templates: Templates;
  readonly #story: Story;
  readonly #id: string;
  readonly #sheet: Sheet;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #text: Text;
  #ordinal = 0;
  #turnId = '';
  #inputTokens = 7000;
  #total = { input: 0, output: 0 };

  constructor(home: string, templates: Templates, story: Story, id: string) {
    this.#templates = templates;
    this.#story = story;
    this.#id = id;
    this.#random = story.random;
    this.#text = story.text;
    this.#clock = new Clock(story.random, story.startMs);
    const stamp = this.#clock.now.slice(0, 19);
    const day = stamp.slice(0, 10).replaceAll('-', '/');
    this.#sheet = new Sheet(join(home, 'sessions', day, `rollout-${stamp.replaceAll(':', '-')}-${id}.jsonl`));
  }

  write(): void {
    const { meta } = this.#templates;
    this.#line(meta, {
      session_id: this.#id,
      id: this.#id,
      timestamp: this.#clock.now,
      cwd: this.#story.cwd,
      runtime_workspace_roots: [this.#story.cwd],
      originator: 'codex_cli_rs',
      source: 'cli',
    });
    for (let turn = 0; turn === 0 || this.#sheet.size < this.#story.bytes; turn += 1) this.#turn(turn);
    this.#sheet.close(this.#clock.ms);
  }

  #turn(turn: number): void {
    const templates = this.#templates;
    this.#clock.after(turn === 0 ? 1 : 90);
    this.#turnId = this.#random.uuid7(this.#clock.ms);
    const ids = { turn_id: this.#turnId, root_turn_id: this.#turnId };
    const attribution = { ...objectAt(templates.started, 'payload', 'turn_attribution'), ...ids };
    const startedAt = Math.floor(this.#clock.ms / 1000);
    if (turn > 0) this.#settings();
    this.#line(templates.started, { ...ids, turn_attribution: attribution, started_at: startedAt });
    if (turn === 0) {
      this.#model(templates.developer, {});
      this.#model(templates.context, {});
      this.#line(templates.world, {});
    }
    this.#line(templates.turnContext, { ...ids, cwd: this.#story.cwd });
    if (turn === 0) this.#settings();
    this.#prompt(this.#text.prose(this.#random, promptSize(this.#story)));
    for (let rounds = roundsOf(this.#story); rounds > 0; rounds -= 1) this.#round();
    const answer = this.#text.prose(this.#random, answerSize(this.#random));
    this.#say(answer);
    this.#used(answer.length);
    this.#count();
    this.#line(templates.complete, {
      ...ids,
      last_agent_message: answer,
      started_at: startedAt,
      completed_at: Math.floor(this.#clock.ms / 1000),
      duration_ms: this.#clock.ms - startedAt * 1000,
    });
  }

  #settings(): void {
    const { settings } = this.#templates;
    this.#line(settings, {
      thread_id: this.#id,
      thread_settings: {
        ...objectAt(settings, 'payload', 'thread_settings'),
        cwd: this.#story.cwd,
        runtime_workspace_roots: [this.#story.cwd],
      },
    });
  }

  #prompt(text: string): void {
    this.#model(this.#templates.user, { content: [{ type: 'input_text', text }] });
    this.#item(this.#templates.userItem, {
      id: this.#random.uuid7(this.#clock.ms),
      content: [{ type: 'text', text, text_elements: [] }],
    });
  }

  #round(): void {
    this.#clock.after(5);
    if (this.#random.chance(0.6)) this.#reason();
    if (this.#random.chance(0.3)) this.#say(this.#text.prose(this.#random, answerSize(this.#random) / 3));
    if (this.#random.chance(0.2)) this.#patch();
    else this.#commands(this.#random.chance(0.2) ? this.#random.between(2, 3) : 1);
    this.#count();
  }

  #reason(): void {
    const id = `rs_${this.#random.hex(40)}`;
    const thought = `**${this.#text.prose(this.#random, 20).slice(0, 40)}**\n\n${this.#text.prose(this.#random, answerSize(this.#random))}`;
    this.#item(this.#templates.reasoningItem, { id, summary_text: [thought], raw_content: [] });
    this.#model(
      this.#templates.reasoning,
      {
        summary: [{ type: 'summary_text', text: thought }],
        encrypted_content: Buffer.from(this.#random.hex(thought.length * 2), 'hex').toString('base64'),
      },
      id,
    );
  }

  #say(text: string): void {
    const id = `msg_${this.#random.hex(40)}`;
    this.#item(this.#templates.answerItem, { id, content: [{ type: 'Text', text }] });
    this.#model(this.#templates.answer, { content: [{ type: 'output_text', text, annotations: [] }] }, id);
  }

  #commands(count: number): void {
    const calls = Array.from({ length: count }, () => ({
      id: `call_${this.#random.hex(24)}`,
      cmd: `rg -n ${this.#text.name(this.#random)} ${this.#text.path(this.#random)} && sed -n '1,${this.#random.between(40, 400)}p' ${this.#text.path(this.#random)}`,
    }));
    for (const { id, cmd } of calls)
      this.#model(
        this.#templates.call,
        { arguments: JSON.stringify({ cmd, yield_time_ms: 5000 }), call_id: id },
        `fc_${this.#random.hex(40)}`,
      );
    this.#used(JSON.stringify(calls).length);
    this.#clock.after(2);
    const outputs = calls.map(({ id, cmd }) => {
      const output = this.#text[this.#random.chance(0.5) ? 'output' : 'code'](
        this.#random,
        resultSize(this.#random, shownLimit) * 2,
      );
      this.#item(this.#templates.command, {
        id,
        process_id: String(this.#random.between(1000, 60_000)),
        command: ['/bin/bash', '-lc', cmd],
        cwd: `file://${this.#story.cwd}`,
        parsed_cmd: [{ type: 'unknown', cmd }],
        aggregated_output: output,
        status: 'completed',
        exit_code: 0,
      });
      return { id, output };
    });
    for (const { id, output } of outputs) {
      const text = `Chunk ID: ${this.#random.hex(6)}\nWall time: 0.0${this.#random.between(100, 900)} seconds\nProcess exited with code 0\nOriginal token count: ${Math.ceil(output.length / 4)}\nOutput:\n${output.slice(0, modelLimit)}`;
      this.#model(this.#templates.output, { call_id: id, output: text }, `fco_${this.#random.uuid7(this.#clock.ms)}`);
    }
  }

  #patch(): void {
    const id = `call_${this.#random.hex(24)}`;
    const path = this.#text.path(this.#random);
    const lines = this.#text.code(this.#random, answerSize(this.#random) * 2).split('\n');
    const changed = lines.map((line, at) => `${[' ', '+', '-', ' '][at % 4] ?? ' '}${line}`).join('\n');
    const input = `*** Begin Patch\n*** Update File: ${path}\n@@\n${changed}\n*** End Patch\n`;
    this.#model(this.#templates.patchCall, { call_id: id, input }, `ctc_${this.#random.hex(40)}`);
    this.#used(input.length);
    const done = `Success. Updated the following files:\nM ${path}\n`;
    this.#item(this.#templates.patch, {
      id,
      changes: {
        [`${this.#story.cwd}/${path}`]: {
          type: 'update',
          unified_diff: `@@ -1,9 +1,9 @@\n${changed}\n`,
          move_path: null,
        },
      },
      status: 'completed',
      stdout: done,
      stderr: '',
    });
    this.#model(
      this.#templates.patchOutput,
      { call_id: id, output: `Exit code: 0\nWall time: 0 seconds\nOutput:\n${done}` },
      `ctco_${this.#random.uuid7(this.#clock.ms)}`,
    );
  }

  /** What one response cost. */
  #used(characters: number): void {
    const output = Math.ceil(characters / 4);
    this.#inputTokens += output + 300;
    this.#total.input += this.#inputTokens;
    this.#total.output += output;
    this.#line(this.#templates.usage, {
      thread_id: this.#id,
      turn_id: this.#turnId,
      session_id: this.#id,
      root_turn_id: this.#turnId,
      response_id: `resp_${this.#random.hex(40)}`,
      usage: tokens(this.#inputTokens, output),
      turn_token_usage: tokens(this.#inputTokens, output),
      thread_token_usage: tokens(this.#total.input, this.#total.output),
    });
  }

  #count(): void {
    const { count } = this.#templates;
    this.#line(count, {
      info: {
        ...objectAt(count, 'payload', 'info'),
        total_token_usage: tokens(this.#total.input, this.#total.output),
        last_token_usage: tokens(this.#inputTokens, 100),
      },
    });
  }

  /** Something the model sees. */
  #model(template: Native, payload: Native, id = `msg_${this.#random.uuid7(this.#clock.ms)}`): void {
    const passthrough = objectAt(template, 'payload', 'internal_chat_message_metadata_passthrough');
    this.#line(template, {
      ...payload,
      id,
      internal_chat_message_metadata_passthrough: {
        ...passthrough,
        turn_id: this.#turnId,
        ...('create_time' in passthrough ? { create_time: this.#clock.ms / 1000 } : {}),
      },
    });
  }

  /** Something people see. */
  #item(template: Native, item: Native): void {
    this.#line(template, {
      thread_id: this.#id,
      turn_id: this.#turnId,
      item: { ...objectAt(template, 'payload', 'item'), ...item },
      started_at_ms: this.#clock.ms,
      completed_at_ms: this.#clock.ms,
    });
  }

  #line(template: Native, payload: Native): void {
    this.#sheet.line({
      ...template,
      timestamp: this.#clock.now,
      ordinal: this.#ordinal,
      payload: { ...objectAt(template, 'payload'), ...payload },
    });
    this.#ordinal += 1;
  }
}

function tokens(input: number, output: number): Native {
  return {
    input_tokens: input,
    cached_input_tokens: Math.floor(input * 0.9),
    cache_write_input_tokens: 0,
    output_tokens: output,
    reasoning_output_tokens: Math.floor(output / 4),
    total_tokens: input + output,
  };
}

function templatesOf(recordings: Recordings): Templates {
  const line = (what: string, fits: (payload: Native, line: Native) => boolean): Native =>
    recordings.first(
      what,
      (record) => typeof record['ordinal'] === 'number' && fits(objectAt(record, 'payload'), record),
    );
  const event = (type: string): Native =>
    line(type, (payload, { type: kind }) => kind === 'event_msg' && payload['type'] === type);
  const item = (type: string): Native =>
    line(type, (payload) => payload['type'] === 'item_completed' && objectAt(payload, 'item')['type'] === type);
  const response = (type: string, fits: (payload: Native) => boolean = () => true): Native =>
    line(type, (payload, { type: kind }) => kind === 'response_item' && payload['type'] === type && fits(payload));
  const top = (type: string, fits: (payload: Native) => boolean = () => true): Native =>
    line(type, (payload, { type: kind }) => kind === type && fits(payload));
  const said = (role: string, kind: string): Native =>
    response('message', (payload) => {
      const kinds = objectAt(payload, 'internal_chat_message_metadata_passthrough')['content_item_kinds'];
      return payload['role'] === role && Array.isArray(kinds) && String(kinds[0]).startsWith(kind);
    });
  return {
    meta: top(
      'session_meta',
      (payload) =>
        !('forked_from_id' in payload) &&
        !('history_base' in payload) &&
        !('parent_thread_id' in payload) &&
        typeof payload['source'] === 'string',
    ),
    developer: response('message', (payload) => payload['role'] === 'developer'),
    context: said('user', 'agents_md.'),
    world: top('world_state'),
    turnContext: top('turn_context'),
    settings: event('thread_settings_applied'),
    started: event('task_started'),
    complete: line('task_complete', (payload) => payload['type'] === 'task_complete' && !('error' in payload)),
    user: said('user', 'user.'),
    userItem: item('UserMessage'),
    reasoning: response('reasoning'),
    reasoningItem: item('Reasoning'),
    answer: response('message', (payload) => payload['role'] === 'assistant'),
    answerItem: item('AgentMessage'),
    call: response('function_call', (payload) => payload['name'] === 'exec_command'),
    command: line(
      'CommandExecution',
      (payload) =>
        objectAt(payload, 'item')['type'] === 'CommandExecution' &&
        !String(objectAt(payload, 'item')['id']).startsWith('exec-'),
    ),
    output: response(
      'function_call_output',
      (payload) => typeof payload['output'] === 'string' && typeof payload['call_id'] === 'string',
    ),
    patchCall: response('custom_tool_call', (payload) => payload['name'] === 'apply_patch'),
    patch: item('FileChange'),
    patchOutput: response(
      'custom_tool_call_output',
      (payload) => typeof payload['output'] === 'string' && payload['output'].startsWith('Exit code: 0'),
    ),
    usage: top('token_usage_record'),
    count: line(
      'token_count',
      (payload) => payload['type'] === 'token_count' && Object.keys(objectAt(payload, 'info')).length > 0,
    ),
  };
}
