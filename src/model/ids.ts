/** Ids: of sessions, of messages that have no stable native id, and of their revisions. */

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { canonicalJson } from './json.ts';
import { ownText } from './own-text.ts';
import type { Message, Role } from './message.ts';
import type { Block } from './block.ts';

/** sha256 of UTF-8 text, lower-case hex. */
export function sha256Hex(text: string): string {
  return builtinHash === undefined ? bytesToHex(sha256(utf8ToBytes(text))) : builtinHash('sha256', text, 'hex');
}

/** sha256 of bytes, lower-case hex. */
export function sha256HexOf(data: Uint8Array): string {
  return builtinHash === undefined ? bytesToHex(sha256(data)) : builtinHash('sha256', data, 'hex');
}

interface HashModule {
  readonly hash: (algorithm: 'sha256', data: string | Uint8Array, encoding: 'hex') => string;
}

/** Where the runtime brings its own sha256 it is five times as fast; a browser does without. Both give the same. */
const builtinHash = (
  globalThis as { readonly process?: { getBuiltinModule?(name: string): HashModule | undefined } }
).process?.getBuiltinModule?.('node:crypto')?.hash;

/** `ses_` and 16 hex digits of the hash of the adapter's id and the full native id: the same on every machine. */
export function sessionId(tool: string, nativeId: string): string {
  return `ses_${sha256Hex(`${tool}\n${nativeId}`).slice(0, 16)}`;
}

/**
 * The id of a message whose tool gives none that survives a rewrite: a hash of what was said after what. Times, offsets
 * and ordinals stay out, so a vendor's migration of a file yields the same ids.
 */
export function contentId(parent: string | null, role: Role, content: readonly Block[]): string {
  return hashedId(`${parent ?? ''}\n${role}\n${canonicalJson(content)}`);
}

/** `msg_` and 24 hex digits of the text's hash. */
export function hashedId(text: string): string {
  return ownText(`msg_${sha256Hex(text).slice(0, 24)}`);
}

/** The id of a later form of a message: `<base>~<8 hex of its content>`. */
export function revisionId(base: string, message: Message): string {
  return `${base}~${contentHash(message).slice(0, 8)}`;
}

/** What makes two forms of one message the same: role, content, stop reason. 64 hex digits. */
export function contentHash(message: Message): string {
  return sha256Hex(canonicalJson([message.role, message.content, message.stop_reason ?? null]));
}
