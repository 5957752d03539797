/** Exact value of the IEEE 754 binary16 number with these bits (0…65535). */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) {
    return sign * fraction * 2 ** -24;
  }
  if (exponent === 31) {
    return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  }
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

let table: Float32Array | undefined;

/** Widens binary16 bit patterns to float32; exact, except that a NaN loses its payload. */
export function widenFloat16(bits: Uint16Array): Float32Array {
  // 256 KiB, built once: a look-up is several times faster than taking each number apart.
  table ??= Float32Array.from({ length: 65536 }, (_, index) => halfValue(index));
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    values[i] = table[bits[i] as number] as number;
  }
  return values;
}

/** Bits of the binary16 number nearest to the float32 with these bits: ties to even, overflow to infinity. */
function nearestHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x47800000) {
    // 65536 and above; numbers from 65520 become infinite below, by the carry of rounding.
    return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
  }
  const exponent = magnitude >>> 23;
  if (exponent < 102) {
    // below 2^-25, half of the least subnormal
    return sign;
  }
  const isSubnormal = exponent < 113;
  const shift = isSubnormal ? 126 - exponent : 13;
  const source = isSubnormal ? (magnitude & 0x7fffff) | 0x800000 : magnitude - 0x38000000;
  const kept = source >>> shift;
  const rest = source & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept);
}

/** Narrows float32 values to binary16 bit patterns: nearest, ties to even; above 65504 to infinity; NaN stays NaN. */
export function narrowFloat16(values: Float32Array): Uint16Array {
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    bits[i] = nearestHalf(source[i] as number);
  }
  return bits;
}

/** Widens bfloat16 bit patterns (the upper half of a float32) to float32; exact. */
export function widenBfloat16(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < words.length; i++) {
    words[i] = (bits[i] as number) << 16;
  }
  return new Float32Array(words.buffer);
}

/** Narrows float32 values to bfloat16 bit patterns: nearest, ties to even; NaN stays NaN. */
export function narrowBfloat16(values: Float32Array): Uint16Array {
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const word = source[i] as number;
    const isNan = (word & 0x7fffffff) > 0x7f800000;
    // A NaN keeps its upper bits and becomes quiet: rounding could carry it into infinity.
    bits[i] = isNan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return bits;
}
