/** Versions of the tools. */

/** Is version `a` older than `b`? Numbers compare part by part; what follows them does not count. */
export function isOlder(a: string, b: string): boolean {
  const left = a.split(/[.+-]/).map(Number);
  const right = b.split(/[.+-]/).map(Number);
  for (let index = 0; index < 3; index += 1) {
    const one = left[index] ?? 0;
    const other = right[index] ?? 0;
    if (one !== other) return one < other;
  }
  return false;
}
