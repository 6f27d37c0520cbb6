/** The house: imports go downhill, adapter folders rhyme, the registry is the only list of tools. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { adapters } from '../src/adapters/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const src = join(root, 'src');

/** What each room may import; `errors.ts` and `version.ts` are open to all. */
const ladder: Readonly<Record<string, readonly string[]>> = {
  model: [],
  io: [],
  format: ['model'],
  adapters: ['model', 'io (types)'],
  store: ['model', 'format', 'io'],
  capture: ['model', 'adapters', 'store', 'io'],
  actions: ['model', 'format', 'adapters', 'store', 'capture', 'io'],
  daemon: ['capture', 'store', 'io'],
  cli: ['actions', 'daemon', 'io', 'model (types)'],
  bin: ['cli', 'io'],
};

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return name === 'fixtures' ? [] : filesBelow(path);
    return name.endsWith('.ts') ? [path] : [];
  });
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const found: Import[] = [];
  for (const match of text.matchAll(
    /^(?:import|export)\s+(type\s+)?[^;'"]*?from\s+'([^']+)'|import\('([^']+)'\)|^import\s+'([^']+)'/gm,
  )) {
    const target = match[2] ?? match[3] ?? match[4];
    if (target !== undefined) found.push({ file, target, typeOnly: match[1] !== undefined });
  }
  return found;
}

function roomOf(path: string): string {
  return relative(src, path).split('/')[0] ?? '';
}

const files = filesBelow(src);
const productFiles = files.filter((file) => !/\.test\.ts$|test-support\.ts$|\/drive\.ts$/.test(file));
const imports = productFiles.flatMap(importsOf);

test('every room has its place on the ladder', () => {
  const rooms = new Set(productFiles.map(roomOf).filter((room) => !room.endsWith('.ts')));
  assert.deepEqual([...rooms].sort(), Object.keys(ladder).sort());
});

test('imports go downhill', () => {
  const uphill = imports.flatMap(({ file, target, typeOnly }) => {
    if (!target.startsWith('.')) return [];
    const from = roomOf(file);
    const to = roomOf(resolve(dirname(file), target));
    if (from === to || to === 'errors.ts' || to === 'version.ts' || to === '..') return [];
    const allowed = ladder[from] ?? [];
    return allowed.includes(to) || (typeOnly && allowed.includes(`${to} (types)`))
      ? []
      : [`${relative(root, file)} imports ${target}`];
  });
  assert.deepEqual(uphill, []);
});

test('only io and bin reach for files, databases and processes', () => {
  const guarded = new Set(['node:fs', 'node:fs/promises', 'node:sqlite', 'node:child_process']);
  const wrong = imports.filter(({ file, target }) => guarded.has(target) && !['io', 'bin'].includes(roomOf(file)));
  assert.deepEqual(
    wrong.map(({ file, target }) => `${relative(root, file)} imports ${target}`),
    [],
  );
});

test('the model runs in a browser', () => {
  const wrong = imports.filter(({ file, target }) => roomOf(file) === 'model' && target.startsWith('node:'));
  assert.deepEqual(wrong, []);
});

test('adapter folders rhyme and do not know each other', () => {
  for (const adapter of adapters) {
    const folder = join(src, 'adapters', adapter.id);
    for (const name of [
      'index.ts',
      'native.ts',
      'read.ts',
      'vocabulary.ts',
      'README.md',
      'fixtures',
      ...(adapter.writer === undefined ? [] : ['write.ts']),
      // The client matrix runs programs that come from npm.
      ...(adapter.install.npm === undefined ? [] : ['drive.ts']),
    ]) {
      assert.ok(readdirSync(folder).includes(name), `${adapter.id} has ${name}`);
    }
    for (const { file, target } of filesBelow(folder)
      .filter((path) => !/\.test\.ts$|test-support\.ts$/.test(path))
      .flatMap(importsOf)) {
      if (!target.startsWith('.')) {
        assert.ok(
          !target.startsWith('node:') || file.endsWith('drive.ts'),
          `${relative(root, file)} imports ${target}`,
        );
        continue;
      }
      const inside = relative(join(src, 'adapters'), resolve(dirname(file), target));
      const isAllowed =
        inside.startsWith(`${adapter.id}/`) ||
        inside.startsWith('shared/') ||
        inside.startsWith('..') ||
        !inside.includes('/');
      assert.ok(isAllowed, `${relative(root, file)} imports ${target}`);
    }
  }
});

test('nothing outside the adapters decides by a tool’s id', () => {
  const names = adapters.flatMap(({ id, aliases }) => [id, ...aliases]);
  const wrong = productFiles.flatMap((file) => {
    if (roomOf(file) === 'adapters') return [];
    const code = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    return names
      .filter((name) => new RegExp(`(===|!==|case)\\s*['"]${name}['"]`).test(code))
      .map((name) => `${relative(root, file)}: ${name}`);
  });
  assert.deepEqual(wrong, []);
});

test('every tool is registered once, and its names are its own', () => {
  const names = adapters.flatMap(({ id, aliases }) => [id, ...aliases]);
  assert.equal(new Set(names).size, names.length);
});
