/** Runs every `*.test.ts` of the project in one process tree, with no person's home in reach. */

import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function testsBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return name === 'fixtures' || name === 'node_modules' ? [] : testsBelow(path);
    return name.endsWith('.test.ts') ? [path] : [];
  });
}

const asked = process.argv.slice(2);
const files = ['src', 'test', 'bench']
  .flatMap((folder) => testsBelow(join(root, folder)))
  .filter((file) => asked.length === 0 || asked.some((part) => file.includes(part)));
const home = mkdtempSync(join(tmpdir(), 'sessionfs-test-'));
// Whatever a test forgets to set points into an empty home.
const env = {
  PATH: process.env['PATH'],
  HOME: home,
  SFS_HOME: join(home, '.sessionfs'),
  CLAUDE_CONFIG_DIR: join(home, '.claude'),
  CODEX_HOME: join(home, '.codex'),
  GEMINI_CLI_HOME: home,
  TMPDIR: tmpdir(),
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  NO_COLOR: '1',
};
const child = spawn(process.execPath, ['--test', '--test-isolation=none', ...files], {
  stdio: 'inherit',
  cwd: root,
  env,
});
child.on('close', (status) => {
  rmSync(home, { recursive: true, force: true });
  process.exitCode = status ?? 1;
});
