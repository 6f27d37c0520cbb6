/** A session as it is now: what its source gained since the last import is taken in first. */

import type { Adapter } from '../adapters/adapter.ts';
import { captureEntry } from '../capture/audit.ts';
import type { CaptureSite } from '../capture/capture.ts';
import { captureAll } from '../capture/capture.ts';
import { AuditLog } from '../store/audit.ts';
import type { SessionRow } from '../store/session-index.ts';

/** Captures the session's source where it is there, and gives its row as it is then. */
export async function catchUp(site: CaptureSite, adapter: Adapter | undefined, row: SessionRow): Promise<SessionRow> {
  if (adapter === undefined || row.native_path === null) return row;
  const source = adapter.reader.sourceAt(site.machine, row.native_path, () => undefined);
  if (source === undefined || source.nativeId !== row.native_id) return row;
  const log = new AuditLog(site.store, site.machine, 'command');
  await captureAll(site, [{ adapter, source }], (captured) => {
    const entry = captureEntry(captured);
    if (entry !== undefined) log.add(entry);
  });
  log.write();
  return site.index.get(row.session_id) ?? row;
}
