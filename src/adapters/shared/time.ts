/** Times as tools write them, made safe to sort and to store. */

const whole = /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d+)?Z$/;

/**
 * An ISO 8601 time in UTC: verbatim when it is one, brought into that form when it is another readable time of the years 0
 * to 9999; `undefined` when it is none.
 */
export function timeOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 64) return undefined;
  const ms = Date.parse(value);
  if (Number.isNaN(ms)) return undefined;
  if (whole.test(value)) return value;
  const text = new Date(ms).toISOString();
  return whole.test(text) ? text : undefined;
}
