/** Where on this machine a session's workspace is: by its path, else by its git remote among the workspaces the store knows. */

import { isAbsolute, join, resolve } from 'node:path';
import { SessionFsError } from '../errors.ts';
import type { Machine } from '../io/machine.ts';
import type { Workspace } from '../model/manifest.ts';
import type { SessionIndex } from '../store/session-index.ts';

/** The folder to go on in, real path. `asked` is what a person named. Throws `path-not-found`, `workspace-not-found`. */
export function findWorkspace(
  machine: Machine,
  index: SessionIndex,
  workspace: Workspace | undefined,
  asked: string | undefined,
  sessionId: string,
): string {
  if (asked !== undefined) {
    const path = resolve(asked);
    if (machine.stat(path)?.kind !== 'directory')
      throw new SessionFsError(
        'path-not-found',
        `${path} is not a folder`,
        'name the folder to work in: --project DIR',
      );
    return machine.realPath(path);
  }
  // A path of another system, or one that somebody made up, would be looked for below the folder this runs in.
  const root = isAbsolute(workspace?.root_path ?? '') ? workspace?.root_path : undefined;
  if (root !== undefined && machine.stat(root)?.kind === 'directory') return machine.realPath(root);
  const remote = workspace?.git?.remote_url;
  const known =
    remote == null
      ? []
      : index.projectsOf(remote).filter((project) => project !== root && machine.stat(project)?.kind === 'directory');
  const [only, ...others] = known;
  if (only !== undefined && (others.length === 0 || isCheckout(machine, only))) return machine.realPath(only);
  const where = root === undefined ? 'it names no workspace' : `its workspace ${root} is not on this machine`;
  throw new SessionFsError(
    'workspace-not-found',
    `cannot tell where ${sessionId} goes on: ${where}`,
    `name the folder: sfs resume ${sessionId} --project DIR`,
  );
}

function isCheckout(machine: Machine, folder: string): boolean {
  return machine.stat(join(folder, '.git')) !== undefined;
}
