/** Fields of protobuf messages without their schema: https://protobuf.dev/programming-guides/encoding */

/** The values of one field number that are bytes (text, messages, ids), and those that are numbers, in order. */
export interface Field {
  readonly bytes: readonly Uint8Array[];
  readonly numbers: readonly number[];
}

const none: Field = { bytes: [], numbers: [] };

/** One message; what cannot be read ends it. */
export class Fields {
  readonly #fields = new Map<number, { bytes: Uint8Array[]; numbers: number[] }>();
  /** Does no field come before one of a lower number? */
  readonly isAscending: boolean;

  constructor(data: Uint8Array) {
    let at = 0;
    let newest = 0;
    let isAscending = true;
    const readNumber = (): number | undefined => {
      let value = 0;
      for (let scale = 1; at < data.length && scale < 2 ** 63; scale *= 128) {
        const byte = data[at] ?? 0;
        at += 1;
        value += (byte & 0x7f) * scale;
        if (byte < 0x80) return value;
      }
      return undefined;
    };
    for (let tag = readNumber(); tag !== undefined; tag = readNumber()) {
      const number = Math.floor(tag / 8);
      isAscending &&= number >= newest;
      newest = number;
      const field = this.#at(number);
      const type = tag % 8;
      if (type === 0) {
        const value = readNumber();
        if (value === undefined) break;
        field.numbers.push(value);
        continue;
      }
      const length = type === 1 ? 8 : type === 5 ? 4 : type === 2 ? readNumber() : undefined;
      if (length === undefined || at + length > data.length) break;
      if (type === 2) field.bytes.push(data.subarray(at, at + length));
      at += length;
    }
    this.isAscending = isAscending;
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

/** A field of bytes: text as UTF-8, an id, a message within. */
export function bytesField(number: number, data: Uint8Array | string): Buffer {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** A field of a whole number from 0 on. */
export function numberField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

/** A field of a floating-point number. */
export function doubleField(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([varint(number * 8 + 1), bytes]);
}

/** A message of its fields. */
export function message(...fields: readonly Uint8Array[]): Buffer {
  return Buffer.concat(fields);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Buffer.from([...bytes, left]);
}
