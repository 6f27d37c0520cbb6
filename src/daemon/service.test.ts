import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchdAgent, systemdUnit } from './service.ts';

const program = {
  argv: ['/opt/my node/bin/node', '/home/me/$HOME/100%/sfsd.cjs'],
  env: [
    ['SFS_HOME', '/home/me/a "b" \\ c'],
    ['CODEX_HOME', '/home/me/<codex> & more'],
  ],
} as const;

test('a systemd unit: what systemd would replace or split is kept as it is', () => {
  const lines = systemdUnit(program).split('\n');
  assert.ok(lines.includes('ExecStart="/opt/my node/bin/node" "/home/me/$$HOME/100%%/sfsd.cjs"'));
  assert.ok(lines.includes('Environment="SFS_HOME=/home/me/a \\"b\\" \\\\ c"'));
  assert.ok(lines.includes('WantedBy=default.target'));
});

test('a launchd agent: text stays text', () => {
  const text = launchdAgent(program);
  assert.match(
    text,
    /<string>\/opt\/my node\/bin\/node<\/string><string>\/home\/me\/\$HOME\/100%\/sfsd\.cjs<\/string>/,
  );
  assert.match(text, /<key>CODEX_HOME<\/key><string>\/home\/me\/&lt;codex&gt; &amp; more<\/string>/);
});
