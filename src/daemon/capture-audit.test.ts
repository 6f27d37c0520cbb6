import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adapters } from '../adapters/index.ts';
import type { Captured } from '../capture/capture.ts';
import type { AuditEntry, AuditLog } from '../store/audit.ts';
import { CaptureAudit } from './capture-audit.ts';

const [adapter] = adapters;
assert.ok(adapter !== undefined);
const found: Captured['found'] = { adapter, source: { nativeId: 'n', files: [] } };

function captured(sessionId: string, outcome: Captured['outcome'], messages = 1): Captured {
  return { found, sessionId, outcome, messages, bytes: 10 * messages, problems: [] };
}

function gathering(): { readonly audit: CaptureAudit; readonly lines: AuditEntry[] } {
  const lines: AuditEntry[] = [];
  const log: Pick<AuditLog, 'add' | 'write'> = { add: (entry) => lines.push(entry), write: () => undefined };
  // Nothing else of it is asked for.
  return { audit: new CaptureAudit(log as AuditLog), lines };
}

const told = (lines: readonly AuditEntry[]): unknown[] =>
  lines.map(({ session_id: id, outcome, details }) => [id, outcome, details?.['messages'], details?.['bytes']]);

test('a session that grows line by line has one line, when it is quiet', () => {
  const { audit, lines } = gathering();
  audit.add(captured('a', 'new', 5), 0);
  for (let ms = 1000; ms <= 50_000; ms += 1000) audit.add(captured('a', 'grown'), ms);
  audit.add(captured('b', 'grown', 2), 40_000);
  audit.add(captured('c', 'unchanged'), 40_000);
  audit.write(99_000);
  assert.deepEqual(told(lines), []);
  audit.write(101_000);
  assert.deepEqual(told(lines), [['b', 'grown', 2, 20]]);
  audit.write(111_000);
  assert.deepEqual(told(lines).slice(1), [['a', 'new', 55, 550]]);
});

test('one that is never quiet has a line now and then; what waits at the end is written', () => {
  const { audit, lines } = gathering();
  for (let ms = 0; ms < 1_500_000; ms += 10_000) {
    audit.add(captured('a', 'grown'), ms);
    audit.write(ms);
  }
  assert.equal(lines.length, 2);
  audit.writeAll();
  assert.equal(
    told(lines).reduce((sum: number, line) => sum + Number((line as unknown[])[2]), 0),
    150,
  );
});

test('what failed first and came in then is no failure', () => {
  const { audit, lines } = gathering();
  audit.add(captured('a', 'failed', 0), 0);
  audit.add(captured('a', 'grown', 3), 10);
  audit.writeAll();
  assert.deepEqual(told(lines), [['a', 'grown', 3, 30]]);
});
