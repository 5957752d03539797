/**
 * Writing Protocol Buffers (proto3 wire format): the three wire types that ONNX files need. A message is a list of
 * pieces that are joined only once, at the end, so that weights are not copied at every level of nesting.
 */
export interface Message {
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
}

/** One field of a message, already encoded; see {@link message}. */
export type Field = Message;

const lengthDelimited = 2;
const fixed32 = 5;

/** Seven bits a byte, lowest first. Whole numbers from 0 to 2^53 − 1; negative ones as 64-bit two's complement. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

function join(parts: readonly Message[]): Message {
  return {
    pieces: parts.flatMap(({ pieces }) => pieces),
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

const piece = (bytes: Uint8Array): Message => ({ pieces: [bytes], bytes: bytes.byteLength });
const tag = (field: number, wireType: number): Message => piece(varint(field * 8 + wireType));

/** A message of fields. Repeated fields are given one after the other. */
export function message(...fields: readonly Field[]): Message {
  return join(fields);
}

/** int32, int64, enum, bool. `value` must be a safe integer. */
export function integerField(field: number, value: number): Field {
  return join([tag(field, 0), piece(varint(value))]);
}

/** float. */
export function floatField(field: number, value: number): Field {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return join([tag(field, fixed32), piece(bytes)]);
}

/** bytes; kept as a reference until {@link encode}. */
export function bytesField(field: number, bytes: Uint8Array): Field {
  return join([tag(field, lengthDelimited), piece(varint(bytes.byteLength)), piece(bytes)]);
}

/** string. */
export function stringField(field: number, text: string): Field {
  return bytesField(field, new TextEncoder().encode(text));
}

/** A nested message. */
export function messageField(field: number, value: Message): Field {
  return join([tag(field, lengthDelimited), piece(varint(value.bytes)), value]);
}

/** repeated int64, packed. */
export function integersField(field: number, values: readonly number[]): Field {
  return messageField(field, join(values.map((value) => piece(varint(value)))));
}

/** The bytes of a message. */
export function encode({ pieces, bytes }: Message): Uint8Array {
  const result = new Uint8Array(bytes);
  let at = 0;
  for (const part of pieces) {
    result.set(part, at);
    at += part.byteLength;
  }
  return result;
}
