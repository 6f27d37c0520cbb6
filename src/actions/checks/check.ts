/** What a check of `sfs doctor` says. */

import { SessionFsError, messageOf } from '../../errors.ts';
import type { Context } from '../context.ts';

/** One check: an object of `doctor --json`. */
export interface Check {
  /** What was looked at; several may have one name. */
  readonly name: string;
  /** `warn`: it works, and something should be known. `fail`: something does not work, or lies open to others. */
  readonly status: 'ok' | 'warn' | 'fail';
  /** What was found and what it means. */
  readonly detail: string;
  /** What to type; `null` when nothing need be done. */
  readonly hint: string | null;
  /** With `--fix`: what was done about it. */
  readonly fixed: string | null;
}

/** What checks work with. */
export interface Examination extends Context {
  /** Mend what can be mended without a loss. */
  readonly fix: boolean;
}

/** Nothing is the matter. */
export function ok(name: string, detail: string): Check {
  return { name, status: 'ok', detail, hint: null, fixed: null };
}

/** It works, but. */
export function warn(name: string, detail: string, hint: string): Check {
  return { name, status: 'warn', detail, hint, fixed: null };
}

/** It does not work. */
export function fail(name: string, detail: string, hint: string): Check {
  return { name, status: 'fail', detail, hint, fixed: null };
}

/** What is typed where `--fix` can mend it. */
export const fixHint = 'mend it: sfs doctor --fix';

/** Mended by `mend`, which says what it did; without `--fix` only found. What cannot be mended is told. */
export async function mended({ fix }: Examination, found: Check, mend: () => string | Promise<string>): Promise<Check> {
  if (!fix) return { ...found, hint: fixHint };
  try {
    return { ...found, status: 'ok', hint: null, fixed: await mend() };
  } catch (cause) {
    if (!(cause instanceof SessionFsError)) throw cause;
    return fail(found.name, `${found.detail}; it could not be mended: ${cause.message}`, cause.hint ?? fixHint);
  }
}

/** A check that could not be made has failed. */
export async function tried(name: string, work: () => Check | Promise<Check>): Promise<Check> {
  try {
    return await work();
  } catch (cause) {
    return fail(
      name,
      messageOf(cause),
      cause instanceof SessionFsError && cause.hint ? cause.hint : 'sfs doctor --help',
    );
  }
}
