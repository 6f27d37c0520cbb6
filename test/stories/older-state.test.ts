/** A store that an earlier version wrote: its sources grow on, with fields of a decoder's state that were not there then. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Context } from '../../src/actions/context.ts';
import { importSessions } from '../../src/actions/import.ts';
import { listSessions } from '../../src/actions/list.ts';
import { adapters } from '../../src/adapters/index.ts';
import { isObject } from '../../src/model/json.ts';
import { sessionFolder } from '../../src/store/store.ts';
import { installRecording, recordingsOf, scratch } from '../support/scratch.ts';

const quiet = (): void => undefined;

for (const adapter of adapters) {
  test(`${adapter.id}: a log goes on after a state without fields that are kept now`, async (t) => {
    for (const recording of recordingsOf(adapter)) {
      const place = scratch(t);
      const home = installRecording(place, adapter, recording);
      const logs = readdirSync(home, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith('.jsonl'))
        .map((entry) => join(entry.parentPath, entry.name));
      const whole = new Map(logs.map((path) => [path, readFileSync(path)]));
      for (const [path, bytes] of whole) {
        const first = bytes.indexOf(10) + 1;
        if (first > 0) truncateSync(path, bytes.indexOf(10, first) + 1 || first);
      }
      await importSessions(place.context, {}, quiet);
      for (const directory of await directories(place.context)) forgetState(directory);
      rmSync(place.context.store.index);
      for (const [path, bytes] of whole) writeFileSync(path, bytes);
      await importSessions(place.context, {}, quiet);
      for (const directory of await directories(place.context))
        assert.equal(commitOf(directory).losses['undecodable:TypeError'], undefined, `${recording} ${directory}`);
    }
  });
}

async function directories(context: Context): Promise<string[]> {
  const { sessions } = await listSessions(context, {});
  return sessions.map(({ session_id: id }) => sessionFolder(context.store, id));
}

interface Stored {
  readonly losses: { readonly [name: string]: number };
  readonly cursors: { readonly [key: string]: { state: { [name: string]: unknown } } };
}

function commitOf(directory: string): Stored {
  const value: unknown = JSON.parse(readFileSync(join(directory, 'meta', 'commit.json'), 'utf8'));
  assert.ok(isObject(value));
  return value as unknown as Stored;
}

/** As if none of the lists a decoder keeps had been there yet. */
function forgetState(directory: string): void {
  const commit = commitOf(directory);
  for (const cursor of Object.values(commit.cursors))
    cursor.state = Object.fromEntries(Object.entries(cursor.state).filter(([, value]) => !Array.isArray(value)));
  writeFileSync(join(directory, 'meta', 'commit.json'), JSON.stringify(commit));
}
