/** The version of this program, as in package.json; the bundle replaces the import by the value. */

import packageJson from '../package.json' with { type: 'json' };

/** For example `0.2.0`. */
export const version: string = packageJson.version;
