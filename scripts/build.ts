/**
 * Bundles each command line into one file of `dist/`. One CommonJS file starts fastest: Node's own modules come without
 * copies of their exports, and V8 keeps the compiled code of a single file. Rooms a command imports lazily stay lazy.
 */

import { readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';
import type { BuildOptions, Plugin } from 'esbuild';

const root = new URL('..', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };

/** Large libraries that few commands need stand in files of their own, read when they are imported. */
const aside: Readonly<Record<string, string>> = {
  '@pydantic/genai-prices': 'prices',
  '@decimalturn/toml-patch': 'toml-patch',
};

const asideFiles: Plugin = {
  name: 'aside',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^@/ }, ({ path, kind }) => {
      const name = aside[path];
      return name === undefined || kind === 'entry-point' ? undefined : { path: `./${name}.cjs`, external: true };
    });
  },
};

/** Only the version is wanted of package.json, and the bundle must not carry the rest. */
const versionOnly: Plugin = {
  name: 'version',
  setup: ({ onLoad }) =>
    onLoad({ filter: /src\/version\.ts$/ }, () => ({
      contents: `export const version = ${JSON.stringify(version)};`,
      loader: 'ts',
    })),
};

rmSync(new URL('dist', root), { recursive: true, force: true });

/** `list` and `show` ask the tools' readers next to nothing: theirs is a file of its own, which they seldom open. */
const adaptersAside: Plugin = {
  name: 'adapters-aside',
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/actions\/adapters\.ts$/ }, ({ kind }) =>
      kind === 'entry-point' ? undefined : { path: './adapters.cjs', external: true },
    );
  },
};

const options = {
  absWorkingDir: root.pathname,
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node24',
  supported: { 'dynamic-import': false },
  define: { 'import.meta.dirname': '__dirname' },
  minify: true,
  legalComments: 'eof',
  logLevel: 'warning',
} satisfies BuildOptions;

await build({
  ...options,
  entryPoints: {
    sfs: 'src/bin/sfs.ts',
    sfsd: 'src/bin/sfsd.ts',
    'capture-thread': 'src/cli/capture-thread.ts',
    'search-thread': 'src/cli/search-thread.ts',
    'action-thread': 'src/cli/action-thread.ts',
    adapters: 'src/actions/adapters.ts',
    ...Object.fromEntries(Object.entries(aside).map(([path, name]) => [name, path])),
  },
  plugins: [asideFiles, versionOnly],
});
await build({
  ...options,
  entryPoints: { 'sfs-look': 'src/bin/sfs-look.ts' },
  plugins: [asideFiles, versionOnly, adaptersAside],
});
