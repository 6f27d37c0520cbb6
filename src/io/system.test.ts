import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { systemMachine } from './system.ts';

test('a process that has ended and was not asked for runs no more', async () => {
  // The shell becomes a program that never asks for its child.
  const parent = spawn('/bin/sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const text = await new Promise<string>((resolve) => {
      parent.stdout.setEncoding('latin1').once('data', resolve);
    });
    const pid = Number(text);
    while (!readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ')) await new Promise(setImmediate);
    process.kill(pid, 0);
    assert.equal(systemMachine().isRunning(pid), false);
    assert.equal(systemMachine().isRunning(parent.pid ?? 0), true);
  } finally {
    parent.kill('SIGKILL');
  }
});
