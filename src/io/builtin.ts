/** Modules of Node's own that only some commands need, loaded when they are first used: together they cost 20 ms. */

interface Builtins {
  readonly 'node:child_process': typeof import('node:child_process');
  readonly 'node:crypto': typeof import('node:crypto');
  readonly 'node:sqlite': typeof import('node:sqlite');
  readonly 'node:stream': typeof import('node:stream');
  readonly 'node:stream/promises': typeof import('node:stream/promises');
  readonly 'node:worker_threads': typeof import('node:worker_threads');
  readonly 'node:zlib': typeof import('node:zlib');
}

/** The module; the same one at every call. */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  return process.getBuiltinModule(name);
}
