/** Validators for the four files of a session, compiled from the project's own schemas. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const folder = join(import.meta.dirname, '..', '..', 'src', 'format', 'schema');

function compiled(name: string, from = folder): (value: unknown) => string[] {
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  addFormats.default(ajv);
  const validate = ajv.compile(JSON.parse(readFileSync(join(from, `${name}.schema.json`), 'utf8')));
  return (value) =>
    validate(value) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ''}`);
}

/** What is wrong with a value, by file; nothing when it is valid. */
export const schemas = {
  manifest: compiled('manifest'),
  message: compiled('message'),
  workspace: compiled('workspace'),
  tools: compiled('tools'),
};

/** The same from another folder of schemas. */
export function schemasIn(from: string): typeof schemas {
  return {
    manifest: compiled('manifest', from),
    message: compiled('message', from),
    workspace: compiled('workspace', from),
    tools: compiled('tools', from),
  };
}
