/** One session as a person reads it: facts, cost, messages. */

import type { ModelCost, Shown, ShownMessage } from '../../actions/show.ts';
import type { Block } from '../../model/block.ts';
import { isKnown } from '../../actions/show.ts';
import { table } from './table.ts';
import { grouped, homeText, oneLine, printable, styled } from './text.ts';

/** Facts, one a line. */
export function sessionLines(session: Shown, homeDir: string): string[] {
  const { manifest } = session;
  const losses = Object.entries(manifest.metadata?.losses ?? {});
  const facts: [string, string | undefined][] = [
    ['Session', session.session_id],
    ['Title', oneLine(session.title ?? '(untitled)')],
    ['Tool', [session.tool, manifest.source.tool_version, manifest.source.interface].filter(Boolean).join(' ')],
    ['Native id', session.native_id ?? undefined],
    ['Project', session.project === null ? undefined : homeText(session.project, homeDir)],
    ['Branch', session.git_branch ?? undefined],
    [
      'Model',
      [session.model, manifest.model?.provider === undefined ? undefined : `(${manifest.model.provider})`]
        .filter(Boolean)
        .join(' ') || undefined,
    ],
    ['Created', session.created_at],
    ['Updated', session.updated_at],
    ['Messages', `${session.message_count} (${session.turn_count} turns, ${session.tool_use_count} tool calls)`],
    ['Tokens', `${grouped(session.total_input_tokens)} in, ${grouped(session.total_output_tokens)} out`],
    ['Cost', session.estimated_cost_usd === null ? undefined : dollars(session.estimated_cost_usd)],
    ['Duration', durationText(manifest.stats?.duration_ms ?? null)],
    ['Sub-agents', (manifest.sub_agents ?? []).length === 0 ? undefined : String(manifest.sub_agents?.length)],
    ['Tags', session.tags.map(oneLine).join(', ') || undefined],
    ['Aliases', session.aliases.join(', ') || undefined],
    ['Checkpoints', session.checkpoints.join(', ') || undefined],
    ['Goes on from', session.parent_session_id ?? undefined],
    ['Source', session.ghost ? 'deleted by the tool; kept here' : undefined],
    ['Not carried', losses.length === 0 ? undefined : losses.map(([name, count]) => `${name} ×${count}`).join(', ')],
    ['Directory', homeText(session.directory, homeDir)],
  ];
  return facts.flatMap(([name, value]) =>
    value === undefined ? [] : [`${`${name}:`.padEnd(14)} ${printable(value)}`],
  );
}

/** A table of models. */
export function costLines(costs: readonly ModelCost[], width: number): string[] {
  if (costs.length === 0) return ['', 'The tool recorded no usage.'];
  const rows = costs.map((cost) => [
    oneLine(cost.model),
    String(cost.responses),
    grouped(cost.input_tokens),
    grouped(cost.cache_read_tokens),
    grouped(cost.cache_write_tokens),
    grouped(cost.output_tokens),
    cost.cost_usd === null ? 'unknown' : dollars(cost.cost_usd),
  ]);
  const right = ['RESPONSES', 'INPUT', 'CACHE READ', 'CACHE WRITE', 'OUTPUT', 'COST'].map((heading) => ({
    heading,
    align: 'right' as const,
  }));
  return ['', ...table([{ heading: 'MODEL', flexible: true }, ...right], rows, width)];
}

/** A message with its blocks. What the model would not see any more is marked. */
export function messageText(message: ShownMessage, useColour: boolean): string {
  const marks = [
    message.is_meta === true ? 'injected' : undefined,
    message.agent_id == null ? undefined : `sub-agent ${oneLine(message.agent_id)}`,
    message.live || message.is_sidechain === true ? undefined : 'not in the live view',
  ].filter((mark) => mark !== undefined);
  const head = `── ${message.role}${marks.length === 0 ? '' : ` (${marks.join(', ')})`} · ${oneLine(message.timestamp)} · ${oneLine(message.msg_id)}`;
  return `\n${styled(useColour, message.role === 'user' ? ['bold', 'cyan'] : 'dim', head)}\n${message.content.map((block) => blockText(block, useColour)).join('\n')}`;
}

function blockText(block: Block, useColour: boolean): string {
  if (!isKnown(block)) return `[${oneLine(block.type)}]`;
  switch (block.type) {
    case 'text':
      return printable(block.text);
    case 'summary':
      return `[summary] ${printable(block.text)}`;
    case 'thinking':
      return styled(
        useColour,
        'italic',
        `[thinking] ${block.redacted === true ? '(redacted)' : printable(block.text || (block.summary ?? ''))}`,
      );
    case 'tool_use':
      return `${styled(useColour, 'yellow', `→ ${oneLine(block.name)}`)} ${printable(JSON.stringify(block.input))}`;
    case 'tool_result': {
      const exit = block.exit_code == null ? '' : ` (exit ${block.exit_code})`;
      return `${styled(useColour, block.is_error === true ? 'red' : 'green', `← ${block.is_error === true ? 'error' : 'result'}${exit}`)} ${printable(block.content)}`;
    }
    case 'image':
      return `[image ${oneLine(block.source.media_type ?? '')}${block.source.type === 'base64' ? `, ${Math.floor((block.source.data.length * 3) / 4)} bytes` : ` ${oneLine(block.source.data)}`}]`;
    default:
      return block satisfies never;
  }
}

function dollars(amount: number): string {
  return `$${amount < 0.01 && amount > 0 ? amount.toFixed(4) : amount.toFixed(2)}`;
}

function durationText(ms: number | null): string | undefined {
  if (ms === null) return undefined;
  if (ms < 60_000) return `${Math.round(ms / 1000)}s`;
  if (ms < 3_600_000) return `${(ms / 60_000).toFixed(1)}m`;
  return `${(ms / 3_600_000).toFixed(1)}h`;
}
