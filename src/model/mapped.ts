/** The values of an iterable, each turned into another; it can be read as often as the iterable can. */
export function mapped<From, To>(values: Iterable<From>, turned: (value: From) => To): Iterable<To> {
  return {
    *[Symbol.iterator]() {
      for (const value of values) yield turned(value);
    },
  };
}
