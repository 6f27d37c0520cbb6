/** A scratch machine: one home with every tool seeded, one project, one SessionFS store. */

import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Scratch } from '../../src/adapters/drive.ts';
import { type JsonRpc, startJsonRpc } from './json-rpc.ts';
import type { ModelClient, ModelServer } from './model-server/server.ts';
import { type Finished, runProgram } from './run-program.ts';
import { projectFiles, treePng } from './scenarios.ts';
import { openTerminal, type Terminal } from './terminal.ts';
import { putInPath, type Tool } from './tools.ts';

/** What all worlds of a run share. */
export type Run = {
  readonly folder: string;
  /** The `sfs` to test: a script for Node. */
  readonly sfs: string;
  /** Each tool once, at any version: what lies in every home. */
  readonly tools: readonly Tool[];
  readonly server: ModelServer;
};

/** One scratch machine. */
export type World = {
  readonly name: string;
  readonly home: string;
  readonly project: string;
  readonly store: string;
  readonly sfs: string;
  /** Appears when the source tool has asked its MCP server for its tools. */
  readonly groveListed: string;
  readonly image: { readonly path: string; readonly base64: string };
  readonly tools: readonly Tool[];
  /** Where a tool runs and what it sent to its model. */
  readonly scratch: (tool: Tool) => Scratch;
  readonly client: (tool: Tool) => ModelClient;
  /** Makes this version of the tool the one that is installed, as an update does. */
  readonly install: (tool: Tool) => Promise<void>;
  /** Runs a program of this world to its end, in the project. */
  readonly run: (argv: readonly string[], stdin?: string) => Promise<Finished>;
  /** The same for one that goes on until it is told to end. */
  readonly serve: (argv: readonly string[]) => Promise<Finished>;
  /** Starts a program of this world that answers JSON-RPC. */
  readonly ask: (argv: readonly string[]) => JsonRpc;
  /** Opens an interactive program of this world. */
  readonly open: (argv: readonly string[]) => Promise<Terminal>;
  /** Closes the terminals that are still open. */
  readonly close: () => Promise<void>;
};

/** A program that serves is killed after this time. */
const longestServiceMs = 1_800_000;

/** The MCP server of the source tool. */
const grove = fileURLToPath(new URL('grove.ts', import.meta.url));

/** The tool that sessions are recorded with, which alone has the MCP server, and what else it is told. */
export type Setting = { readonly source?: Tool; readonly also?: Pick<Scratch, 'keepsOutputs'> };

/** Makes a world below the run's folder. `name` has to be unique in the run, and usable in paths and URLs. */
export async function createWorld(run: Run, name: string, setting: Setting = {}): Promise<World> {
  const root = join(run.folder, name);
  const home = join(root, 'home');
  const project = join(root, 'orchard');
  const store = join(root, 'store');
  const temporary = join(root, 'tmp');
  const programs = join(root, 'bin');
  const groveListed = join(root, 'grove-listed');
  for (const folder of [home, project, temporary, programs]) await mkdir(folder, { recursive: true });
  await symlink(process.execPath, join(programs, 'node'));
  for (const [path, text] of Object.entries(projectFiles)) await writeFile(join(project, path), text);
  const image = { path: join(project, 'tree.png'), base64: treePng };
  await writeFile(image.path, Buffer.from(image.base64, 'base64'));

  const places = new Map<string, { readonly scratch: Scratch; readonly client: ModelClient }>();
  for (const { id, drive } of run.tools) {
    const client = run.server.client(`${name}.${id}`);
    const mcp = { name: 'grove', argv: [process.execPath, grove, groveListed] as const };
    const scratch: Scratch = {
      home,
      project,
      modelUrl: client.url,
      ...(id === setting.source?.id ? { mcp, ...setting.also } : {}),
    };
    client.serve(drive, scratch);
    places.set(id, { scratch, client });
    for (const [path, text] of Object.entries(drive.seed(scratch))) {
      await mkdir(dirname(join(home, path)), { recursive: true });
      await writeFile(join(home, path), text);
    }
  }
  const placeOf = ({ id }: Tool) => {
    const place = places.get(id);
    if (place === undefined) throw new Error(`${id} is not part of this run`);
    return place;
  };

  const env: Readonly<Record<string, string>> = {
    HOME: home,
    PATH: [programs, '/usr/bin', '/bin'].join(':'),
    SHELL: '/bin/bash',
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    TMPDIR: temporary,
    TMUX_TMPDIR: run.folder,
    SFS_HOME: store,
    ...Object.assign({}, ...run.tools.map((tool) => tool.drive.environment(placeOf(tool).scratch))),
  };
  const runHere = (argv: readonly string[], stdin = '') => runProgram(argv, { env, cwd: project, stdin });
  await initialiseRepository(runHere);

  const terminals = new Set<Terminal>();
  let opened = 0;
  return {
    name,
    home,
    project,
    store,
    sfs: run.sfs,
    groveListed,
    image,
    tools: run.tools,
    scratch: (tool) => placeOf(tool).scratch,
    client: (tool) => placeOf(tool).client,
    install: (tool) => putInPath(programs, tool),
    run: runHere,
    serve: (argv) => runProgram(argv, { env, cwd: project, timeoutMs: longestServiceMs }),
    ask: (argv) => startJsonRpc(argv, { env, cwd: project }),
    open: async (argv) => {
      opened += 1;
      const terminal = await openTerminal(`${name}-${opened}`, argv, { env, cwd: project });
      const close = async () => {
        if (terminals.delete(terminal)) await terminal.close();
      };
      terminals.add(terminal);
      return { ...terminal, close };
    },
    close: async () => {
      for (const terminal of terminals) await terminal.close();
      terminals.clear();
    },
  };
}

async function initialiseRepository(run: (argv: readonly string[]) => Promise<Finished>): Promise<void> {
  const identity = ['-c', 'user.name=matrix', '-c', 'user.email=matrix@localhost'];
  for (const words of [
    ['init', '-q', '-b', 'main'],
    ['add', '.'],
    [...identity, 'commit', '-q', '-m', 'Plant'],
  ]) {
    const { status, stderr } = await run(['git', ...words]);
    if (status !== 0) throw new Error(`git ${words[0] ?? ''} failed in the scratch project: ${stderr.trim()}`);
  }
}
