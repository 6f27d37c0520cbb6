/** `sfs`: all commands. */

import { routes } from '../cli/routes.ts';
import { start } from '../cli/start.ts';

start(routes);
