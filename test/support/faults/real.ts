/** The calls of `node:fs` as they are before any is replaced. */

import fs from 'node:fs';

export const real = { ...fs };
