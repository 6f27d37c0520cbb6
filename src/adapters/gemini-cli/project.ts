/** Which folder below `tmp` belongs to a working directory, resolved as the CLI does it (0.61.0: `ProjectRegistry`). */

import { isObject, objectAt } from '../../model/json.ts';
import type { Machine } from '../../io/machine.ts';

const marker = '.project_root';

/**
 * The registry `projects.json`: absolute directory → folder name. Empty when it is absent or unreadable, and (as for the
 * CLI) when any name in it is not made of `a-z`, `0-9` and `-`.
 */
export function registeredSlugs(machine: Machine, home: string): ReadonlyMap<string, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(machine.readText(`${home}/projects.json`) ?? '{}');
  } catch {
    // The CLI starts anew from the markers as well.
    return new Map();
  }
  const slugs = new Map<string, string>();
  for (const [directory, slug] of Object.entries(objectAt(parsed, 'projects') ?? {})) {
    if (typeof slug !== 'string' || !/^[a-z0-9-]+$/.test(slug)) return new Map();
    slugs.set(directory, slug);
  }
  return isObject(parsed) ? slugs : new Map();
}

/** The folder name the CLI will use for sessions run in `cwd` (absolute, real path). Looks and changes nothing. */
export function slugFor(machine: Machine, home: string, cwd: string): string {
  const directory = normal(machine, cwd);
  const bases = [`${home}/tmp`, `${home}/history`];
  const registry = registeredSlugs(machine, home);
  const registered = registry.get(directory);
  if (registered !== undefined && bases.every((base) => isFreeFor(machine, `${base}/${registered}`, directory)))
    return registered;
  for (const base of bases) {
    for (const { name } of machine.list(base)) {
      const owner = ownerOf(machine, `${base}/${name}`);
      if (owner !== undefined && normal(machine, owner) === directory) return name;
    }
  }
  const taken = new Set([...registry].flatMap(([each, slug]) => (each === directory ? [] : [slug])));
  const slug = slugify(
    directory.slice(Math.max(directory.lastIndexOf('/'), directory.lastIndexOf('\\')) + 1) || 'project',
  );
  for (let count = 0; ; count++) {
    const candidate = count === 0 ? slug : `${slug}-${count}`;
    if (!taken.has(candidate) && bases.every((base) => isFreeFor(machine, `${base}/${candidate}`, directory)))
      return candidate;
  }
}

/** The files that tell the CLI whose folder it is, relative to the home. */
export function markersOf(slug: string): readonly string[] {
  return [`tmp/${slug}/${marker}`, `history/${slug}/${marker}`];
}

/** The directory as it stands in markers. */
export function normal(machine: Machine, directory: string): string {
  const plain = directory.length > 1 ? directory.replace(/[\\/]+$/, '') : directory;
  return machine.platform === 'win32' ? plain.toLowerCase() : plain;
}

/** A folder without a marker may be taken. */
function isFreeFor(machine: Machine, folder: string, directory: string): boolean {
  const owner = ownerOf(machine, folder);
  return owner === undefined || normal(machine, owner) === directory;
}

function ownerOf(machine: Machine, folder: string): string | undefined {
  return machine.readText(`${folder}/${marker}`)?.trim();
}

function slugify(name: string): string {
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '-')
    .replaceAll(/-+/g, '-')
    .replaceAll(/^-|-$/g, '');
  return slug === '' ? 'project' : slug;
}
