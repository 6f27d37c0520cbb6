/** Foreign text made safe and short for a terminal. */

import { styleText } from 'node:util';

/** Without control and formatting characters, on one line: nothing in a title can move the cursor or change colours. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}

/** Without control characters but line ends and tabs. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(/[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/gu, '\uFFFD');
}

/** At most `width` columns, cut with an ellipsis. Wide characters (CJK, emoji) take two. */
export function fit(text: string, width: number): string {
  if (columnsOf(text) <= width) return text;
  let used = 1;
  let kept = '';
  for (const segment of graphemesOf(text)) {
    const next = columnsOf(segment);
    if (used + next > width) break;
    used += next;
    kept += segment;
  }
  return `${kept}…`;
}

/** Terminal columns a text takes. */
export function columnsOf(text: string): number {
  if (narrow.test(text)) return text.length;
  let columns = 0;
  for (const segment of graphemesOf(text))
    columns +=
      /\p{Emoji_Presentation}|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{20000}-\u{3FFFD}]/u.test(
        segment,
      )
        ? 2
        : 1;
  return columns;
}

let segmenter: Intl.Segmenter | undefined;

/** One column each: Latin letters, dashes, quotes, arrows, line drawing. */
const narrow = /^[\x20-\x7e\u00a0-\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u21ff\u2500-\u257f]*$/;

/** What a person sees as characters. The segmenter costs 8 ms, so it is made for the first text that needs it. */
function* graphemesOf(text: string): Generator<string> {
  if (narrow.test(text)) return yield* text;
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  for (const { segment } of segmenter.segment(text)) yield segment;
}

/** Styles a text when colour is wanted. */
export function styled(useColour: boolean, style: Parameters<typeof styleText>[0], text: string): string {
  return useColour ? styleText(style, text, { validateStream: false }) : text;
}

/** `1.2 GB`, `340 KB`, `12 B`. */
export function sizeText(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** Thousands apart by commas; without Intl, which costs milliseconds at start. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `3 sessions`, `1 session`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** How long ago a time was, in a few letters. */
export function agoText(time: string, now: Date): string {
  const seconds = (now.getTime() - Date.parse(time)) / 1000;
  if (!Number.isFinite(seconds)) return time.slice(0, 10);
  if (seconds < 60) return 'now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h ago`;
  if (seconds < 7 * 86_400) return `${Math.floor(seconds / 86_400)}d ago`;
  return time.slice(0, 10);
}

/** A path with the home directory as `~`. */
export function homeText(path: string, homeDir: string): string {
  return path === homeDir ? '~' : path.startsWith(`${homeDir}/`) ? `~${path.slice(homeDir.length)}` : path;
}

/** An argv as a person would type it in a POSIX shell. */
export function shellText(argv: readonly string[]): string {
  return argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
