/** A stored session as a page that can be exported, read from the disk as it is written. */

import type { Adapter } from '../adapters/adapter.ts';
import type { FileChange, Page, PageStep } from '../format/page.ts';
import type { ToolUseBlock } from '../model/block.ts';
import { outline } from '../model/outline.ts';
import type { Head, SessionReader } from '../store/session-reader.ts';

/** The page of a session; `source` is the tool it was captured from, when that is known. */
export function pageOf(reader: SessionReader, source: Adapter | undefined): Page {
  return {
    manifest: reader.manifest,
    workspace: reader.workspace,
    tool: source?.name ?? reader.manifest.source.tool,
    steps: { [Symbol.iterator]: () => stepsOf(reader) },
    change: (call) => changeOf(call, source),
  };
}

function* stepsOf(reader: SessionReader): Generator<PageStep> {
  const agentCalls = reader.manifest.metadata?.agent_calls ?? {};
  const { timeline, liveOnly } = reader.heads(new Set(Object.values(agentCalls)));
  const live = new Set(reader.liveIds());
  type Plan = Exclude<PageStep, { step: 'message' }> | { readonly step: 'message'; readonly item: Head };
  function* plan(): Generator<Plan> {
    for (const step of outline(timeline, agentCalls))
      yield step.step === 'begin' ? { step: 'begin', part: 'agent', agent: step.agent } : step;
    const only = liveOnly.filter(({ msg_id: id }) => live.has(id));
    if (only.length === 0) return;
    yield { step: 'begin', part: 'live-only' };
    for (const item of only) yield { step: 'message', item };
    yield { step: 'end' };
  }
  // One walk for what is said, one beside it for where it stands, so that the file is read in large pieces.
  function* offsets(): Generator<number> {
    for (const step of plan()) if (step.step === 'message') yield step.item.offset;
  }
  const messages = reader.messagesAt(offsets())[Symbol.iterator]();
  for (const step of plan()) {
    if (step.step !== 'message') yield step;
    else {
      const next = messages.next();
      if (next.done !== true) yield { step: 'message', message: next.value, live: live.has(step.item.msg_id) };
    }
  }
}

/** What a call of the source's own words does to a file. */
function changeOf(call: ToolUseBlock, source: Adapter | undefined): FileChange | undefined {
  for (const word of source?.vocabulary ?? []) {
    if (word.name !== call.name) continue;
    const common = word.read(call.input);
    if (common?.verb === 'edit') return { path: common.path, before: common.before, after: common.after };
    if (common?.verb === 'write') return { path: common.path, before: '', after: common.content };
  }
  return undefined;
}
