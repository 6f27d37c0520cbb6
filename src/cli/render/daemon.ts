/** What a running daemon is doing, in words. */

import type { DaemonStatus, ToolWatch } from '../../daemon/status.ts';
import { table } from './table.ts';
import { agoText, counted, homeText, oneLine, sizeText } from './text.ts';

/** How it is shown. */
export interface DaemonView {
  readonly now: Date;
  readonly homeDir: string;
  /** Columns of the terminal. */
  readonly width: number;
}

/** A few lines about it, a table of the tools, and what went wrong lately. */
export function daemonLines(status: DaemonStatus, { now, homeDir, width }: DaemonView): string[] {
  const { captured } = status;
  const fields = [
    ['Running', `since ${agoText(status.started_at, now)}, process ${status.pid}, version ${status.version}`],
    [
      'Captured',
      `${counted(captured.messages, 'message')} from ${sizeText(captured.bytes)}` +
        (status.last_capture_at === null ? '' : `, the last ${agoText(status.last_capture_at, now)}`),
    ],
    ...(status.pending === 0 ? [] : [['Waiting', counted(status.pending, 'change')]]),
    ...(status.trouble === null ? [] : [['Trouble', `${status.trouble}; tried again by itself`]]),
    ...(status.config_problem === null ? [] : [['Config', `an older one is in force: ${status.config_problem}`]]),
  ];
  const columns = [{ heading: 'TOOL' }, { heading: 'WATCHED' }, { heading: 'SESSIONS IN', flexible: true as const }];
  const rows = status.tools.map((tool) => [tool.tool, watchText(tool), homeText(tool.home, homeDir)]);
  return [
    ...fields.map(([name, text]) => `${`${name}:`.padEnd(11)}${oneLine(text ?? '')}`),
    '',
    ...table(columns, rows, width),
    ...status.tools.flatMap(({ tool, problem }) => (problem === null ? [] : [`${tool}: ${oneLine(problem)}`])),
    ...(status.problems.length === 0 ? [] : ['', 'Lately:']),
    ...status.problems.map(({ at, path, problem }) => `  ${agoText(at, now)} ${oneLine(`${path}: ${problem}`)}`),
  ];
}

/** The states in words. */
export const watchWords = {
  watched: 'yes',
  partly: 'partly',
  absent: 'when it is there',
  off: 'off',
} as const satisfies Record<ToolWatch['state'], string>;

function watchText({ state, folders, watched }: ToolWatch): string {
  if (state === 'watched') return `${watchWords.watched}, ${counted(folders, 'folder')}`;
  return state === 'partly' && watched < folders ? `${watched} of ${counted(folders, 'folder')}` : watchWords[state];
}
