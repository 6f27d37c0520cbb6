/** `sfs daemon start|stop|restart|status|logs|install|uninstall` */

import { buildCommand, buildRouteMap } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { jsonFlag, wholeNumber } from '../flags.ts';
import type { JsonFlag } from '../flags.ts';

type NoFlags = Record<never, never>;

/** Between two looks at a log that is followed, in milliseconds. */
const followMs = 250;

async function start(this: CliContext): Promise<void> {
  const { startDaemon } = await import('../../daemon/control.ts');
  const { pid } = await startDaemon(this);
  this.output.print(`The daemon is running (process ${pid}). What it does: sfs daemon status`);
}

async function stop(this: CliContext): Promise<void> {
  const { stopDaemon } = await import('../../daemon/control.ts');
  this.output.print(`The daemon (process ${await stopDaemon(this)}) has ended.`);
}

const startCommand = buildCommand<NoFlags, [], CliContext>({
  docs: {
    brief: 'Capture in the background from now on',
    fullDescription:
      'Returns when the tools’ homes are watched. Until the next start of the machine; for longer: sfs daemon install',
  },
  parameters: {},
  func: start,
});

const stopCommand = buildCommand<NoFlags, [], CliContext>({
  docs: { brief: 'End it when what it is writing is written' },
  parameters: {},
  func: stop,
});

const restart = buildCommand<NoFlags, [], CliContext>({
  docs: { brief: 'End it if it is running, and start it' },
  parameters: {},
  async func() {
    const { runningDaemon } = await import('../../daemon/status.ts');
    if (runningDaemon(this.machine, this.store) !== undefined) await stop.call(this);
    await start.call(this);
  },
});

const status = buildCommand<JsonFlag, [], CliContext>({
  docs: {
    brief: 'What it watches, what it captured, what is wrong',
    fullDescription: 'Ends with 3 when no daemon is running.',
  },
  parameters: { flags: { json: jsonFlag } },
  async func({ json }) {
    const { daemonStatus, notRunning } = await import('../../daemon/control.ts');
    const found = daemonStatus(this);
    if (json) {
      this.output.print(
        JSON.stringify(found === undefined ? { running: false } : { running: true, ...found }, null, 2),
      );
      if (found === undefined) this.process.exitCode = notRunning().exit;
      return;
    }
    if (found === undefined) throw notRunning();
    const { daemonLines } = await import('../render/daemon.ts');
    const view = { now: this.machine.now(), homeDir: this.machine.homeDir, width: this.output.columns };
    for (const line of daemonLines(found, view)) this.output.print(line);
  },
});

interface LogFlags {
  readonly lines: number;
  readonly follow: boolean;
}

const logs = buildCommand<LogFlags, [], CliContext>({
  docs: { brief: 'The last lines of its log' },
  parameters: {
    flags: {
      lines: { kind: 'parsed', parse: wholeNumber, brief: 'How many', placeholder: 'count', default: '50' },
      follow: { kind: 'boolean', brief: 'Go on with those that come, until Ctrl-C', default: false },
    },
    aliases: { n: 'lines', f: 'follow' },
  },
  async func({ lines: count, follow }) {
    const { lastLines, linesBehind } = await import('../../daemon/log.ts');
    const { printable } = await import('../render/text.ts');
    const print = (lines: readonly string[]): void => {
      for (const line of lines) this.output.print(printable(line));
    };
    let { lines, bytes } = lastLines(this.store, count);
    print(lines);
    if (!follow) return;
    for (;;) {
      await new Promise((resolve) => {
        setTimeout(resolve, followMs);
      });
      ({ lines, bytes } = linesBehind(this.store, bytes));
      print(lines);
    }
  },
});

const install = buildCommand<NoFlags, [], CliContext>({
  docs: {
    brief: 'Have it started whenever you log in',
    fullDescription:
      'Writes a systemd user unit, or a launchd agent, below your home directory, and prints what to type next.',
  },
  parameters: {},
  async func() {
    const [{ installService }, { runningDaemon }] = await Promise.all([
      import('../../daemon/service.ts'),
      import('../../daemon/status.ts'),
    ]);
    const { adapters } = await this.full();
    const variables = ['SFS_HOME', ...adapters.flatMap(({ home }) => home.env.map(({ name }) => name))];
    const { path, was, next } = installService(this.machine, variables);
    this.output.print(`${was ? 'Replaced' : 'Wrote'} ${path}`);
    const isRunning = runningDaemon(this.machine, this.store) !== undefined;
    this.output.print(`Type next: ${isRunning ? 'sfs daemon stop; ' : ''}${next}`);
  },
});

const uninstall = buildCommand<NoFlags, [], CliContext>({
  docs: { brief: 'Have it started no more; what was captured stays' },
  parameters: {},
  async func() {
    const { uninstallService } = await import('../../daemon/service.ts');
    const { path, was, next } = uninstallService(this.machine);
    if (!was) return this.output.print(`It is not installed: there is no ${path}`);
    this.output.print(`Removed ${path}`);
    this.output.print(`Type next: ${next}`);
  },
});

export const daemon = buildRouteMap({
  routes: { start: startCommand, stop: stopCommand, restart, status, logs, install, uninstall },
  docs: { brief: 'Capturing in the background' },
});
