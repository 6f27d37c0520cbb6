/**
 * The visible side of a chat of `cursor-agent`: turns, each a prompt and steps that are text, thinking, or a call with its
 * result (protobuf, package `agent.v1`). Numbers are those of `@cursor/sdk` 1.0.18; its classes decode what is made here.
 */

import type { Json } from '../../model/json.ts';
import { isObject, stringAt } from '../../model/json.ts';
import type { Call } from '../shared/conversation.ts';
import { bytesField, doubleField, message, numberField } from './protobuf.ts';

/** A text of an answer, with its time in milliseconds since 1970 (known since 3.22). */
export function textStep(text: string, atMs: number): Buffer {
  return bytesField(1, message(bytesField(1, text), numberField(2, atMs)));
}

/** What the model thought. */
export function thinkingStep(text: string): Buffer {
  return bytesField(3, bytesField(1, text));
}

/** A call as the screen shows it: commands, reading and editing in the tool's own shape, any other as one of a server (MCP). */
export function callStep(call: Call, callId: string, cwd: string): Buffer {
  const [tool, made, gave] = shapeOf(call, callId, cwd);
  return bytesField(
    2,
    message(bytesField(tool, message(bytesField(1, made), bytesField(2, gave))), bytesField(57, callId)),
  );
}

/** Numbers of the kinds of calls. */
const tools = { shell: 1, read: 8, edit: 12, mcp: 15 } as const;

/** Its number among the kinds of calls, its arguments, and its result. */
function shapeOf(call: Call, callId: string, cwd: string): readonly [tool: number, made: Buffer, gave: Buffer] {
  const { name, input, result } = call;
  const command = stringAt(input, 'command');
  if (name === 'Shell' && command !== undefined) {
    const place = stringAt(input, 'working_directory') ?? cwd;
    const description = stringAt(input, 'description');
    const ran = [bytesField(1, command), bytesField(2, place)];
    const exit = Math.max(0, result.exitCode ?? Number(result.isError));
    return [
      tools.shell,
      message(...ran, bytesField(4, callId), ...(description === undefined ? [] : [bytesField(15, description)])),
      bytesField(result.isError ? 2 : 1, message(...ran, numberField(3, exit), bytesField(5, result.text))),
    ];
  }
  const path = stringAt(input, 'path');
  if (name === 'Read' && path !== undefined)
    return [
      tools.read,
      bytesField(1, path),
      result.isError
        ? bytesField(2, bytesField(1, result.text))
        : bytesField(1, message(bytesField(1, result.text), bytesField(7, path))),
    ];
  const written = name === 'StrReplace' ? stringAt(input, 'new_string') : stringAt(input, 'contents');
  if ((name === 'StrReplace' || name === 'Write') && path !== undefined && written !== undefined)
    return [
      tools.edit,
      message(bytesField(1, path), bytesField(6, written)),
      result.isError
        ? bytesField(7, message(bytesField(1, path), bytesField(2, result.text)))
        : bytesField(1, message(bytesField(1, path), bytesField(8, result.text))),
    ];
  const [, server, tool] = /^mcp__(.+?)__(.+)$/.exec(name) ?? [];
  return [
    tools.mcp,
    message(
      bytesField(1, name),
      ...entries(2, input),
      bytesField(3, callId),
      bytesField(4, server ?? ''),
      bytesField(5, tool ?? name),
    ),
    bytesField(
      1,
      message(bytesField(1, bytesField(1, bytesField(1, result.text))), numberField(2, Number(result.isError))),
    ),
  ];
}

/** An object as a map of `google.protobuf.Value`. */
function entries(field: number, object: { readonly [key: string]: Json | undefined }): Buffer[] {
  return Object.entries(object).flatMap(([key, value]) =>
    value === undefined ? [] : [bytesField(field, message(bytesField(1, key), bytesField(2, valueOf(value))))],
  );
}

/** A `google.protobuf.Value`. */
function valueOf(value: Json): Buffer {
  if (value === null) return numberField(1, 0);
  if (typeof value === 'number') return doubleField(2, value);
  if (typeof value === 'string') return bytesField(3, value);
  if (typeof value === 'boolean') return numberField(4, Number(value));
  if (isObject(value)) return bytesField(5, message(...entries(1, value)));
  return bytesField(6, message(...value.map((item) => bytesField(1, valueOf(item)))));
}
