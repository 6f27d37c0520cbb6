/** The floor of a scan of Cursor's database: reads each chat's row and each message's, and parses it; prints how many there were. */

import { DatabaseSync } from 'node:sqlite';

const [, , path = ''] = process.argv;
const database = new DatabaseSync(path, { readOnly: true });
const query = database.prepare('select value from cursorDiskKV where key >= ? and key < ? and value is not null');
let rows = 0;
for (const kind of ['composerData', 'bubbleId'])
  for (const { value } of query.iterate(`${kind}:`, `${kind};`)) {
    JSON.parse(String(value));
    rows += 1;
  }
database.close();
console.log(JSON.stringify({ rows }));
