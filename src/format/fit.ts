/** Makes a value from elsewhere fit one of our JSON Schemas: what does not fit is left out and told. */

import { isObject } from '../model/json.ts';

/** The keywords our schemas use. A test finds one that is not here. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly not?: Schema;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly format?: string;
  readonly required?: readonly string[];
  readonly properties?: { readonly [name: string]: Schema };
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly oneOf?: readonly Schema[];
  readonly $ref?: string;
}

/** A schema that stands alone: `$ref` leads to its `$defs`. */
export interface WholeSchema extends Schema {
  readonly $defs?: { readonly [name: string]: Schema };
}

/** Told what was left out: a path as `/stats/message_count`. */
export type LeftOut = (path: string) => void;

/**
 * The value as far as it fits, fields and items that do not fit left out; `undefined` when what is left is none at all. Of
 * several shapes the first that fits is taken.
 */
export function fitTo(whole: WholeSchema, value: unknown, leftOut: LeftOut): unknown {
  return fit({ whole, leftOut }, whole, value, '');
}

interface Fitting {
  readonly whole: WholeSchema;
  readonly leftOut: LeftOut;
}

function fit(fitting: Fitting, schema: Schema, value: unknown, path: string): unknown {
  const named = schema.$ref === undefined ? undefined : fitting.whole.$defs?.[schema.$ref.replace('#/$defs/', '')];
  if (named !== undefined) return fit(fitting, named, value, path);
  if (!isOfType(schema, value) || !isAllowed(schema, value)) return undefined;
  const shaped = schema.oneOf === undefined ? value : firstShape(fitting, schema.oneOf, value, path);
  if (Array.isArray(shaped)) return fitItems(fitting, schema, shaped, path);
  return isObject(shaped) ? fitFields(fitting, schema, shaped, path) : shaped;
}

function firstShape(fitting: Fitting, shapes: readonly Schema[], value: unknown, path: string): unknown {
  for (const shape of shapes) {
    const lost: string[] = [];
    const found = fit({ ...fitting, leftOut: (at) => lost.push(at) }, shape, value, path);
    if (found === undefined) continue;
    for (const at of lost) fitting.leftOut(at);
    return found;
  }
  return undefined;
}

function fitItems(fitting: Fitting, schema: Schema, items: readonly unknown[], path: string): unknown {
  const { items: each, minItems = 0 } = schema;
  if (each === undefined) return items.length < minItems ? undefined : items;
  const kept = items.flatMap((item, index) => {
    const found = fit(fitting, each, item, `${path}/${index}`);
    if (found === undefined) fitting.leftOut(`${path}/${index}`);
    return found === undefined ? [] : [found];
  });
  return kept.length < minItems ? undefined : kept;
}

function fitFields(fitting: Fitting, schema: Schema, value: Record<string, unknown>, path: string): unknown {
  const { properties = {}, additionalProperties: others = true, required = [] } = schema;
  const kept = Object.entries(value).flatMap(([name, field]): [string, unknown][] => {
    const one = Object.hasOwn(properties, name) ? properties[name] : others;
    const found =
      typeof one === 'object' ? fit(fitting, one, field, `${path}/${name}`) : one === true ? field : undefined;
    if (found === undefined) fitting.leftOut(`${path}/${name}`);
    return found === undefined ? [] : [[name, found]];
  });
  // Of entries: a field called `__proto__` is one like the others.
  const fields = Object.fromEntries(kept);
  return required.every((name) => Object.hasOwn(fields, name)) ? fields : undefined;
}

function isOfType({ type }: Schema, value: unknown): boolean {
  if (type === undefined) return true;
  const types = typeof type === 'string' ? [type] : type;
  return types.some((name) => is[name]?.(value) === true);
}

const is: { readonly [type: string]: (value: unknown) => boolean } = {
  string: (value) => typeof value === 'string',
  number: (value) => Number.isFinite(value),
  integer: (value) => Number.isSafeInteger(value),
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
  array: Array.isArray,
  object: isObject,
};

function isAllowed(schema: Schema, value: unknown): boolean {
  if (schema.enum !== undefined && !schema.enum.includes(value)) return false;
  if (schema.const !== undefined && schema.const !== value) return false;
  if (schema.not !== undefined && isOfType(schema.not, value) && isAllowed(schema.not, value)) return false;
  if (typeof value === 'number') return value >= (schema.minimum ?? value);
  if (typeof value !== 'string') return true;
  return value.length >= (schema.minLength ?? 0) && (schema.format !== 'date-time' || isTime(value));
}

/** ISO 8601 with a zone, of a day that there is. */
function isTime(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/i.test(text) || Number.isNaN(Date.parse(text)))
    return false;
  const day = text.slice(0, 10);
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}
