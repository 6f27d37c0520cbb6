/** The pictures of a message. Cursor keeps their paths; what lies there now is taken along. */

import type { Machine } from '../../io/machine.ts';
import { listAt, stringAt } from '../../model/json.ts';

/** Longer files stay where they are. */
const limitBytes = 20 << 20;

/** One picture that was read: its path as the message has it, and base64. */
export interface Picture {
  readonly path: string;
  readonly mediaType: string;
  readonly data: string;
}

/** How each type of picture begins. */
const beginnings: readonly (readonly [mediaType: string, beginning: RegExp])[] = [
  ['image/png', /^\x89PNG\r\n\x1a\n/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF[\s\S]{4}WEBP/],
];

/** The pictures whose files are there; nothing else is read. */
export function imagesOf(machine: Machine, bubble: unknown): { readonly images?: readonly Picture[] } {
  const images = listAt(bubble, 'images').flatMap((image): Picture[] => {
    const path = stringAt(image, 'path');
    if (path === undefined || (machine.stat(path)?.sizeBytes ?? limitBytes) >= limitBytes) return [];
    const head = Buffer.from(machine.readHead(path, 16)).toString('latin1');
    const mediaType = beginnings.find(([, beginning]) => beginning.test(head))?.[0];
    if (mediaType === undefined) return [];
    return [{ path, mediaType, data: Buffer.from(machine.readHead(path, limitBytes)).toString('base64') }];
  });
  return images.length === 0 ? {} : { images };
}
