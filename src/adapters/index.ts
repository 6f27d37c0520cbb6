/** The registry: one line per tool, in the order people see them. */

import type { Adapter } from './adapter.ts';
import { adapter as claudeCode } from './claude-code/index.ts';
import { adapter as codex } from './codex/index.ts';
import { adapter as cursor } from './cursor/index.ts';
import { adapter as geminiCli } from './gemini-cli/index.ts';

/** Every tool SessionFS knows. */
export const adapters: readonly Adapter[] = [claudeCode, codex, geminiCli, cursor];
