/** Every command by the name people type. */

import { buildRouteMap } from '@stricli/core';
import { audit } from './commands/audit.ts';
import { checkpoint } from './commands/checkpoint.ts';
import { config } from './commands/config.ts';
import { daemon } from './commands/daemon.ts';
import { deleteCommand, restoreCommand } from './commands/delete.ts';
import { doctor } from './commands/doctor.ts';
import { exportCommand } from './commands/export.ts';
import { fork } from './commands/fork.ts';
import { importCommand } from './commands/import.ts';
import { list } from './commands/list.ts';
import { alias, rename, tag } from './commands/registers.ts';
import { prune } from './commands/prune.ts';
import { reparse } from './commands/reparse.ts';
import { resumeCommand } from './commands/resume.ts';
import { show } from './commands/show.ts';
import { storage } from './commands/storage.ts';
import { tools } from './commands/tools.ts';
import { trash } from './commands/trash.ts';
import { up } from './commands/up.ts';
import { verify } from './commands/verify.ts';
import { watcher } from './commands/watcher.ts';

/** All of them, in the order of the help. */
export const routes = buildRouteMap({
  routes: {
    list,
    show,
    resume: resumeCommand,
    import: importCommand,
    up,
    daemon,
    watcher,
    export: exportCommand,
    reparse,
    fork,
    checkpoint,
    rename,
    tag,
    alias,
    delete: deleteCommand,
    restore: restoreCommand,
    trash,
    storage,
    prune,
    verify,
    doctor,
    audit,
    tools,
    config,
  },
  docs: {
    brief: 'Capture, find, and resume AI coding agent sessions across tools',
    fullDescription: 'Start with: sfs import, then sfs list, then sfs resume @last --in codex',
  },
});
