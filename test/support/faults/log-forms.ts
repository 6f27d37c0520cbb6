/** How each tool writes its logs. */

import { dirname, join } from 'node:path';
import type { LogForm } from './log.ts';

export const claude: LogForm = {
  revises: true,
  path: (id, times) => `projects/-w${times}/${id}.jsonl`,
  key: () => 'main',
  head: () => undefined,
  record: (said, before, sessionId, timestamp) => ({
    parentUuid: before?.id ?? null,
    type: said.role,
    message:
      said.role === 'user'
        ? { role: 'user', content: said.text }
        : {
            role: 'assistant',
            id: `msg_${said.id}`,
            model: 'claude-sonnet-4-5',
            content: [{ type: 'text', text: said.text }],
          },
    uuid: said.id,
    timestamp,
    sessionId,
  }),
  attachment: (id, path) => ({
    key: 'tool-results-out.txt',
    path: join(dirname(path), id, 'tool-results', 'out.txt'),
  }),
};

export const codex: LogForm = {
  path: (id, times) =>
    `${times % 2 === 0 ? 'sessions/2026/11/23' : 'archived_sessions'}/rollout-2026-11-23T05-51-05-${id}.jsonl`,
  key: (id) => id,
  head: (id, timestamp) =>
    JSON.stringify({
      timestamp,
      type: 'session_meta',
      payload: {
        id,
        timestamp,
        cwd: '/home/me/gate',
        originator: 'codex_exec',
        cli_version: '0.140.0',
        source: 'exec',
      },
    }),
  record: (said, _before, _id, timestamp) => ({
    timestamp,
    type: 'response_item',
    payload: {
      type: 'message',
      role: said.role,
      content: [{ type: said.role === 'user' ? 'input_text' : 'output_text', text: said.text }],
    },
  }),
  packs: true,
};

export const gemini: LogForm = {
  path: (id, times) => `tmp/gate/chats/session-2026-11-23T0${times % 10}-00-${id.slice(0, 8)}.jsonl`,
  key: (_id, path) => path.slice(path.lastIndexOf('/') + 1),
  head: (sessionId, startTime) =>
    JSON.stringify({ sessionId, projectHash: '0'.repeat(64), startTime, lastUpdated: startTime, kind: 'main' }),
  record: (said, _before, _id, timestamp) => ({
    id: said.id,
    timestamp,
    ...(said.role === 'user'
      ? { type: 'user', content: [{ text: said.text }] }
      : { type: 'gemini', content: said.text, thoughts: [], model: 'gemini-2.5-pro' }),
  }),
  attachment: (id, path) => ({
    key: 'output.out.txt',
    path: join(dirname(path), '..', 'tool-outputs', `session-${id}`, 'out.txt'),
  }),
};

export const transcript: LogForm = {
  path: (id) => `../../../.cursor/projects/gate/agent-transcripts/${id}/${id}.jsonl`,
  key: () => 'transcript',
  head: () => undefined,
  record: (said) => ({
    role: said.role,
    message: {
      content: [{ type: 'text', text: said.role === 'user' ? `<user_query>\n${said.text}\n</user_query>` : said.text }],
    },
  }),
};
