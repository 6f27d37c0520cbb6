/** Where the sessions of a folder lie: `projects/<the folder's path, every other character a dash>`. */

/** Longest folder name before the tool cuts it and appends a hash. */
const nameLimit = 200;

/**
 * The name of a folder's project: each UTF-16 unit that is no ASCII letter or digit becomes `-`. Names beyond 200 units are
 * cut and get a hash of the whole path (seen with ten shapes, 2.1.330). Not reversible.
 */
export function projectFolder(cwd: string): string {
  const name = cwd.replaceAll(/[^a-zA-Z0-9]/g, '-');
  if (name.length <= nameLimit) return name;
  let hash = 0;
  // oxlint-disable-next-line unicorn/prefer-code-point -- the tool hashes UTF-16 units
  for (let index = 0; index < cwd.length; index += 1) hash = (hash * 31 + cwd.charCodeAt(index)) | 0;
  return `${name.slice(0, nameLimit)}-${Math.abs(hash).toString(36)}`;
}

const uuidShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Is it a session id? Files with other names are not sessions. */
export function isSessionName(text: string): boolean {
  return text.length === 36 && uuidShape.test(text);
}
