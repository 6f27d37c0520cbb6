/** The daemon as a service of the person's own session manager: a systemd user unit, or a launchd agent. */

import { dirname, join } from 'node:path';
import { SessionFsError } from '../errors.ts';
import { daemonArgv } from '../io/detached.ts';
import { exists, makeFolder, remove, replaceFile } from '../io/files.ts';
import type { Machine } from '../io/machine.ts';

/** What a service is made of. */
export interface ServiceProgram {
  /** Absolute: the program and its arguments. */
  readonly argv: readonly string[];
  /** What its environment has beside that of the session manager. */
  readonly env: readonly (readonly [name: string, value: string])[];
}

/** A file of a session manager. */
interface ServiceKind {
  /** Below the home directory. */
  readonly path: string;
  /** Files that the manager made for it. */
  readonly traces: readonly string[];
  readonly text: (program: ServiceProgram) => string;
  /** What to type when the file is there, and when it is gone. */
  readonly afterInstall: string;
  readonly afterUninstall: string;
}

const label = 'sessionfs.sfsd';

const kinds: Readonly<Record<string, ServiceKind>> = {
  linux: {
    path: '.config/systemd/user/sfsd.service',
    traces: ['.config/systemd/user/default.target.wants/sfsd.service'],
    text: systemdUnit,
    afterInstall: 'systemctl --user daemon-reload && systemctl --user enable --now sfsd',
    afterUninstall: 'systemctl --user stop sfsd; systemctl --user daemon-reload',
  },
  darwin: {
    path: `Library/LaunchAgents/${label}.plist`,
    traces: [],
    text: launchdAgent,
    afterInstall: `launchctl bootstrap gui/$(id -u) ~/Library/LaunchAgents/${label}.plist`,
    afterUninstall: `launchctl bootout gui/$(id -u)/${label}`,
  },
};

/** What was written or removed, and what to type next: the session manager is the person's to command. */
export interface ServiceChange {
  /** Absolute. */
  readonly path: string;
  /** Was it there before? */
  readonly was: boolean;
  readonly next: string;
}

/**
 * Writes the service's file below the home directory; starts nothing. `keep`: environment variables that lead to the store and
 * the tools' homes, kept as they are now. Throws `failed` on another system, `store-unwritable`.
 */
export function installService(machine: Machine, keep: readonly string[]): ServiceChange {
  const kind = kindOf(machine);
  const path = join(machine.homeDir, kind.path);
  const was = exists(path);
  const env = keep.flatMap((name) => {
    const value = machine.env[name];
    return value === undefined || value === '' ? [] : [[name, value] as const];
  });
  makeFolder(dirname(path));
  replaceFile(path, kind.text({ argv: daemonArgv(), env }));
  return { path, was, next: kind.afterInstall };
}

/** Removes the service's file; ends nothing. Throws `failed` on another system, `store-unwritable`. */
export function uninstallService(machine: Machine): ServiceChange {
  const kind = kindOf(machine);
  const path = join(machine.homeDir, kind.path);
  const was = exists(path);
  for (const file of [kind.path, ...kind.traces]) remove(join(machine.homeDir, file));
  return { path, was, next: kind.afterUninstall };
}

function kindOf(machine: Machine): ServiceKind {
  const kind = kinds[machine.platform];
  if (kind !== undefined) return kind;
  throw new SessionFsError(
    'failed',
    `there is no service for ${machine.platform} yet`,
    'start it when you log in: sfs daemon start',
  );
}

/** A systemd user unit. Refused for good while another daemon has the store (exit status 4). */
export function systemdUnit({ argv, env }: ServiceProgram): string {
  return [
    '[Unit]',
    'Description=SessionFS: captures the sessions of coding tools',
    '',
    '[Service]',
    `ExecStart=${argv.map((word) => systemdWord(word).replaceAll('$', '$$$$')).join(' ')}`,
    'ExecReload=/bin/kill -HUP $MAINPID',
    ...env.map(([name, value]) => `Environment=${systemdWord(`${name}=${value}`)}`),
    'Restart=on-failure',
    'RestartSec=5',
    'RestartPreventExitStatus=4',
    'UMask=0077',
    '',
    '[Install]',
    'WantedBy=default.target',
    '',
  ].join('\n');
}

/** In quotes, with what systemd would replace doubled (systemd.syntax(7), systemd.unit(5)). */
function systemdWord(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('%', '%%');
  return `"${escaped}"`;
}

/** A launchd agent, started with the session and again when it fails. */
export function launchdAgent({ argv, env }: ServiceProgram): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    '<dict>',
    `  <key>Label</key><string>${label}</string>`,
    '  <key>ProgramArguments</key>',
    `  <array>${argv.map((word) => `<string>${xmlText(word)}</string>`).join('')}</array>`,
    '  <key>EnvironmentVariables</key>',
    `  <dict>${env.map(([name, value]) => `<key>${xmlText(name)}</key><string>${xmlText(value)}</string>`).join('')}</dict>`,
    '  <key>RunAtLoad</key><true/>',
    '  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>',
    '  <key>ProcessType</key><string>Background</string>',
    '  <key>Umask</key><integer>63</integer>',
    '</dict>',
    '</plist>',
    '',
  ].join('\n');
}

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
