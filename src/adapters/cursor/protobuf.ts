/** Fields of a protobuf message without its schema: https://protobuf.dev/programming-guides/encoding */

/** The values of one field number that are bytes (text, messages, ids), and those that are numbers, in order. */
export interface Field {
  readonly bytes: readonly Uint8Array[];
  readonly numbers: readonly number[];
}

const none: Field = { bytes: [], numbers: [] };

/** One message; what cannot be read ends it. */
export class Fields {
  readonly #fields = new Map<number, { bytes: Uint8Array[]; numbers: number[] }>();

  constructor(data: Uint8Array) {
    let at = 0;
    const varint = (): number | undefined => {
      let value = 0;
      for (let scale = 1; at < data.length && scale < 2 ** 63; scale *= 128) {
        const byte = data[at] ?? 0;
        at += 1;
        value += (byte & 0x7f) * scale;
        if (byte < 0x80) return value;
      }
      return undefined;
    };
    for (let tag = varint(); tag !== undefined; tag = varint()) {
      const field = this.#at(Math.floor(tag / 8));
      const type = tag % 8;
      if (type === 0) {
        const value = varint();
        if (value === undefined) return;
        field.numbers.push(value);
        continue;
      }
      const length = type === 1 ? 8 : type === 5 ? 4 : type === 2 ? varint() : undefined;
      if (length === undefined || at + length > data.length) return;
      if (type === 2) field.bytes.push(data.subarray(at, at + length));
      at += length;
    }
  }

  /** All values of a field. */
  get(number: number): Field {
    return this.#fields.get(number) ?? none;
  }

  #at(number: number): { bytes: Uint8Array[]; numbers: number[] } {
    const known = this.#fields.get(number);
    if (known !== undefined) return known;
    const made = { bytes: [], numbers: [] };
    this.#fields.set(number, made);
    return made;
  }
}
