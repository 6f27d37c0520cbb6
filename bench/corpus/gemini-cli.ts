/** Gemini CLI sessions in the shape of the recordings: a message is written again when its calls are done, `$set` after each. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Random } from './random.ts';
import { Recordings, objectAt, objectOf } from './recordings.ts';
import type { Native } from './recordings.ts';
import { Sheet } from './sheet.ts';
import { Clock, answerSize, promptSize, resultSize, roundsOf } from './story.ts';
import type { Story } from './story.ts';
import type { Text } from './text.ts';

/** What the tool keeps of a long output: the first 8,000 and the last 32,000 characters. */
const outputLimit = 40_000;
/** Share of turns that begin with a resume, which writes the whole history once more. */
const resumeShare = 0.03;

interface Templates {
  readonly meta: Native;
  readonly context: Native;
  readonly user: Native;
  readonly answer: Native;
  readonly shell: Native;
  readonly read: Native;
  readonly write: Native;
}

/** Writes sessions below `<home>/tmp/<project>/chats`. */
export class GeminiCli {
  readonly #home: string;
  readonly #templates: Templates;

  /** `home`: the `.gemini` folder. */
  constructor(home: string, text: Text) {
    this.#home = home;
    this.#templates = templatesOf(new Recordings('gemini-cli', text, new Random('gemini-cli')));
  }

  /** Writes one session; its id. */
  write(story: Story): string {
    const id = story.random.uuid();
    const project = join(this.#home, 'tmp', basename(story.cwd).toLowerCase());
    if (!existsSync(project)) {
      mkdirSync(project, { recursive: true });
      writeFileSync(join(project, '.project_root'), story.cwd);
    }
    const stamp = new Date(story.startMs).toISOString().slice(0, 16).replaceAll(':', '-');
    new Chat(join(project, 'chats', `session-${stamp}-${id.slice(0, 8)}.jsonl`), this.#templates, story, id).write();
    return id;
  }
}

class Chat {
  readonly #templates: Templates;
  readonly #story: Story;
  readonly #id: string;
  readonly #sheet: Sheet;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #text: Text;
  /** What a resume writes again. */
  #history: Native[] = [];
  #inputTokens = 12_000;

  constructor(path: string, templates: Templates, story: Story, id: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.#templates = templates;
    this.#story = story;
    this.#id = id;
    this.#random = story.random;
    this.#text = story.text;
    this.#clock = new Clock(story.random, story.startMs);
    this.#sheet = new Sheet(path);
  }

  write(): void {
    const { meta, context } = this.#templates;
    const now = this.#clock.now;
    const projectHash = createHash('sha256').update(this.#story.cwd).digest('hex');
    this.#sheet.line({ ...meta, sessionId: this.#id, projectHash, startTime: now, lastUpdated: now });
    const first = { ...context, timestamp: now };
    this.#remember(first);
    this.#sheet.line({ $set: { messages: [first], lastUpdated: now } });
    for (let turn = 0; turn === 0 || this.#sheet.size < this.#story.bytes; turn += 1) this.#turn(turn);
    this.#sheet.close(this.#clock.ms);
  }

  #turn(turn: number): void {
    this.#clock.after(turn === 0 ? 1 : 90);
    if (turn > 0 && !this.#story.isUnbroken && this.#random.chance(resumeShare)) this.#resume();
    this.#user([{ text: this.#text.prose(this.#random, promptSize(this.#story)) }]);
    for (let rounds = roundsOf(this.#story); rounds > 0; rounds -= 1) this.#round();
    this.#answer(this.#text.prose(this.#random, answerSize(this.#random)), undefined);
  }

  #resume(): void {
    this.#sheet.line({ $set: { sessionId: this.#id } });
    this.#sheet.line({ $set: { messages: this.#history, lastUpdated: this.#clock.now } });
  }

  #round(): void {
    const calls = Array.from({ length: this.#random.chance(0.25) ? 2 : 1 }, (_, at) => this.#call(at));
    const text = this.#random.chance(0.5) ? this.#text.prose(this.#random, answerSize(this.#random) / 3) : '';
    this.#answer(text, calls);
    this.#user(calls.flatMap((call) => (Array.isArray(call['result']) ? call['result'] : [])));
  }

  #call(at: number): Native {
    const which = this.#random.next();
    const template = which < 0.4 ? this.#templates.shell : which < 0.8 ? this.#templates.read : this.#templates.write;
    const name = String(template['name']);
    const id = `${name}__${name}_${this.#clock.ms}_${at}`;
    const path = this.#text.path(this.#random);
    const timestamp = this.#clock.after(2);
    const done = (args: Native, output: string, more: Native): Native => ({
      ...template,
      id,
      args,
      result: [{ functionResponse: { id, name, response: { output } } }],
      timestamp,
      ...more,
    });
    if (template === this.#templates.shell) {
      const output = this.#text.output(this.#random, resultSize(this.#random, outputLimit) * 2);
      const command = `npm test -- ${path}`;
      return done(
        { command, description: this.#text.prose(this.#random, 20).slice(0, 50) },
        `<untrusted_context>\nOutput: ${output}\nProcess Group PGID: ${this.#random.between(900, 60_000)}\n</untrusted_context>`,
        { resultDisplay: output, description: command },
      );
    }
    if (template === this.#templates.read)
      return done({ file_path: path }, this.#text.code(this.#random, resultSize(this.#random, outputLimit) * 2), {
        description: path,
      });
    const content = this.#text.code(this.#random, resultSize(this.#random, outputLimit));
    const diff = content
      .split('\n')
      .map((line) => `+${line}`)
      .join('\n');
    return done(
      { file_path: path, content },
      `Successfully created and wrote to new file: ${this.#story.cwd}/${path}. Here is the updated code:\n${content}`,
      {
        description: `Writing to ${path}`,
        resultDisplay: {
          ...objectAt(template, 'resultDisplay'),
          fileDiff: `Index: ${path}\n--- ${path}\tOriginal\n+++ ${path}\tWritten\n@@ -0,0 +1,9 @@\n${diff}\n`,
          fileName: basename(path),
          filePath: `${this.#story.cwd}/${path}`,
          originalContent: '',
          newContent: content,
        },
      },
    );
  }

  #user(content: readonly unknown[]): void {
    this.#message({ ...this.#templates.user, id: this.#random.uuid(), timestamp: this.#clock.after(1), content });
  }

  /** A message of the model; with calls it is written before they ran and again when they are done. */
  #answer(content: string, calls: readonly Native[] | undefined): void {
    const timestamp = this.#clock.after(6);
    const output = Math.ceil((content.length + JSON.stringify(calls ?? []).length / 8) / 4);
    this.#inputTokens += output + 300;
    const message = {
      ...this.#templates.answer,
      id: this.#random.uuid(),
      timestamp,
      content,
      thoughts: this.#random.chance(0.5)
        ? [
            {
              subject: this.#text.prose(this.#random, 20).slice(0, 40),
              description: this.#text.prose(this.#random, answerSize(this.#random) / 2),
              timestamp,
            },
          ]
        : [],
      tokens: { input: this.#inputTokens, output, cached: 3, thoughts: 5, tool: 0, total: this.#inputTokens + output },
    };
    if (calls === undefined) return this.#message(message);
    this.#sheet.line(message);
    this.#updated();
    const { id, type } = objectOf(message);
    this.#sheet.line({ ...message, toolCalls: calls });
    // A checkpoint has the bare contents: calls as parts, no results beside them.
    const parts = calls.map((call) => ({ functionCall: { name: call['name'], args: call['args'], id: call['id'] } }));
    this.#remember({
      id,
      timestamp,
      type,
      content: [...(content === '' ? [] : [{ text: content }]), ...parts],
      thoughts: [],
      tokens: null,
    });
  }

  #message(message: Native): void {
    this.#sheet.line(message);
    this.#updated();
    this.#remember(message);
  }

  #remember(message: Native): void {
    if (!this.#story.isUnbroken) this.#history.push(message);
  }

  #updated(): void {
    this.#sheet.line({ $set: { lastUpdated: this.#clock.now } });
  }
}

function templatesOf(recordings: Recordings): Templates {
  const call = (name: string): Native => {
    const fits = (one: unknown): boolean => objectOf(one)['name'] === name && objectOf(one)['status'] === 'success';
    const record = recordings.first(
      `a call of ${name}`,
      ({ toolCalls }) => Array.isArray(toolCalls) && toolCalls.some(fits),
    );
    const calls = record['toolCalls'];
    return objectOf(Array.isArray(calls) ? calls.find(fits) : undefined);
  };
  const checkpoint = recordings.first('a first checkpoint', (record) =>
    Array.isArray(objectAt(record, '$set')['messages']),
  );
  const messages = objectAt(checkpoint, '$set')['messages'];
  return {
    meta: recordings.first(
      'metadata',
      (record) => record['kind'] === 'main' && typeof record['sessionId'] === 'string',
    ),
    context: objectOf(Array.isArray(messages) ? messages[0] : undefined),
    user: recordings.first(
      'a prompt',
      ({ type, content }) => type === 'user' && Array.isArray(content) && 'text' in objectOf(content[0]),
    ),
    answer: recordings.first(
      'an answer',
      (record) => record['type'] === 'gemini' && typeof record['content'] === 'string' && !('toolCalls' in record),
    ),
    shell: call('run_shell_command'),
    read: call('read_file'),
    write: call('write_file'),
  };
}
