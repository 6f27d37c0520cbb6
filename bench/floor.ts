/** The floor of an import: reads each file named on standard input and parses each line; prints how many there were. */

import { readFileSync } from 'node:fs';

let lines = 0;
let bytes = 0;
for (const path of readFileSync(0, 'utf8').split('\n')) {
  if (path === '') continue;
  const file = readFileSync(path);
  bytes += file.length;
  if (!path.endsWith('.jsonl')) continue;
  let start = 0;
  for (let end = file.indexOf(10); end !== -1; end = file.indexOf(10, start)) {
    JSON.parse(file.toString('utf8', start, end));
    lines += 1;
    start = end + 1;
  }
}
console.log(JSON.stringify({ lines, bytes }));
