/**
 * tanh of four numbers at once, as (e^2x - 1) / (e^2x + 1), good to 3 units in the last place: e^y - 1 by Taylor's series on
 * +-ln(2)/2 and a power of two.
 */

const LOG2_E: f32 = <f32>Math.LOG2E;
const LN_2: f32 = <f32>Math.LN2;
/** 1.5 x 2^23: a sum with it is a whole number in its last bits. */
const ROUNDER: f32 = 12582912;
/** tanh is 1 to the last place at half of it. */
const LARGEST: f32 = 20;
const EXPONENT_BIT: i32 = 23;
const ONE_BITS: i32 = 0x3f800000;

function times(a: v128, b: v128, c: f32): v128 {
  return f32x4.add(f32x4.mul(a, b), f32x4.splat(c));
}

function tanh(x: v128): v128 {
  const sign = v128.and(x, i32x4.splat(<i32>0x80000000));
  const size = v128.xor(x, sign);
  // the order of operands lets a NaN through
  const doubled = f32x4.pmin(f32x4.add(size, size), f32x4.splat(LARGEST));
  const shifted = f32x4.add(f32x4.mul(doubled, f32x4.splat(LOG2_E)), f32x4.splat(ROUNDER));
  const k = f32x4.sub(shifted, f32x4.splat(ROUNDER));
  const r = f32x4.sub(doubled, f32x4.mul(k, f32x4.splat(LN_2)));
  let sum = times(r, f32x4.splat(1 / <f32>5040), 1 / <f32>720);
  sum = times(sum, r, 1 / <f32>120);
  sum = times(sum, r, 1 / <f32>24);
  sum = times(sum, r, 1 / <f32>6);
  sum = times(sum, r, 0.5);
  const small = f32x4.add(r, f32x4.mul(f32x4.mul(r, r), sum)); // e^r - 1
  const power = i32x4.add(i32x4.shl(shifted, EXPONENT_BIT), i32x4.splat(ONE_BITS)); // 2^k
  const t = f32x4.add(f32x4.mul(power, small), f32x4.sub(power, f32x4.splat(1)));
  return v128.or(f32x4.div(t, f32x4.add(t, f32x4.splat(2))), sign);
}

/** @param count a multiple of four */
export function tanhInPlace(values: usize, count: i32): void {
  const end = values + ((<usize>count) << 2);
  for (; values < end; values += 16) v128.store(values, tanh(v128.load(values)));
}

/** Gradients by the outputs of tanh become those by its inputs. @param count a multiple of four */
export function tanhBackward(outputs: usize, gradients: usize, count: i32): void {
  const end = outputs + ((<usize>count) << 2);
  for (; outputs < end; outputs += 16, gradients += 16) {
    const y = v128.load(outputs);
    const slope = f32x4.sub(f32x4.splat(1), f32x4.mul(y, y));
    v128.store(gradients, f32x4.mul(v128.load(gradients), slope));
  }
}
