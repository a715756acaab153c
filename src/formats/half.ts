const bits = new Uint32Array(1);
const real = new Float32Array(bits.buffer);

/** The value of 16 bits of IEEE half precision (binary16). */
export function float16ToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The value of 16 bits of bfloat16: the upper half of an f32. */
export function bfloat16ToFloat(half: number): number {
  bits[0] = half << 16;
  return real[0]!;
}
