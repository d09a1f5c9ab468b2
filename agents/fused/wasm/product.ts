/**
 * Products of matrices, row-major, whose rows are whole vectors of four. Every number of a product is a sum in one fixed order,
 * however many rows there are: a row gives the same bits alone and among others.
 */

function accumulate(sum: v128, x: v128, w: v128): v128 {
  return f32x4.add(sum, f32x4.mul(x, w));
}

/**
 * y = x w + b.
 * @param x [rows x inputs], `xStride` numbers from row to row
 * @param w [inputs x width]
 * @param b [width]; 0: none
 * @param y [rows x width]
 * @param width a multiple of four
 */
export function product(
  x: usize,
  xStride: i32,
  rows: i32,
  inputs: i32,
  w: usize,
  b: usize,
  y: usize,
  width: i32,
): void {
  const xBytes: usize = (<usize>xStride) << 2;
  const yBytes: usize = (<usize>width) << 2;
  const blocks = rows >> 2;
  let j: usize = 0;
  for (; j + 32 <= yBytes; j += 32) {
    let xr = x;
    let yr = y + j;
    for (let r = 0; r < blocks; r++) {
      product4x8(xr, xBytes, inputs, w + j, yBytes, b === 0 ? 0 : b + j, yr);
      xr += xBytes << 2;
      yr += yBytes << 2;
    }
  }
  if (j < yBytes) {
    let xr = x;
    let yr = y + j;
    for (let r = 0; r < blocks; r++) {
      product4x4(xr, xBytes, inputs, w + j, yBytes, b === 0 ? 0 : b + j, yr);
      xr += xBytes << 2;
      yr += yBytes << 2;
    }
  }
  for (let r = blocks << 2; r < rows; r++) {
    productOfRow(x + <usize>r * xBytes, inputs, w, yBytes, b, y + <usize>r * yBytes);
  }
}

function product4x8(x: usize, xBytes: usize, inputs: i32, w: usize, wBytes: usize, b: usize, y: usize): void {
  let s00 = f32x4.splat(0);
  let s01 = f32x4.splat(0);
  if (b !== 0) {
    s00 = v128.load(b);
    s01 = v128.load(b, 16);
  }
  let s10 = s00;
  let s11 = s01;
  let s20 = s00;
  let s21 = s01;
  let s30 = s00;
  let s31 = s01;
  let x1 = x + xBytes;
  let x2 = x1 + xBytes;
  let x3 = x2 + xBytes;
  for (const end = x + ((<usize>inputs) << 2); x < end; x += 4) {
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    const a = v128.load32_splat(x);
    s00 = accumulate(s00, a, w0);
    s01 = accumulate(s01, a, w1);
    const c = v128.load32_splat(x1);
    s10 = accumulate(s10, c, w0);
    s11 = accumulate(s11, c, w1);
    const d = v128.load32_splat(x2);
    s20 = accumulate(s20, d, w0);
    s21 = accumulate(s21, d, w1);
    const e = v128.load32_splat(x3);
    s30 = accumulate(s30, e, w0);
    s31 = accumulate(s31, e, w1);
    x1 += 4;
    x2 += 4;
    x3 += 4;
    w += wBytes;
  }
  v128.store(y, s00);
  v128.store(y, s01, 16);
  y += wBytes;
  v128.store(y, s10);
  v128.store(y, s11, 16);
  y += wBytes;
  v128.store(y, s20);
  v128.store(y, s21, 16);
  y += wBytes;
  v128.store(y, s30);
  v128.store(y, s31, 16);
}

function product4x4(x: usize, xBytes: usize, inputs: i32, w: usize, wBytes: usize, b: usize, y: usize): void {
  let s0 = b !== 0 ? v128.load(b) : f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let x1 = x + xBytes;
  let x2 = x1 + xBytes;
  let x3 = x2 + xBytes;
  for (const end = x + ((<usize>inputs) << 2); x < end; x += 4) {
    const w0 = v128.load(w);
    s0 = accumulate(s0, v128.load32_splat(x), w0);
    s1 = accumulate(s1, v128.load32_splat(x1), w0);
    s2 = accumulate(s2, v128.load32_splat(x2), w0);
    s3 = accumulate(s3, v128.load32_splat(x3), w0);
    x1 += 4;
    x2 += 4;
    x3 += 4;
    w += wBytes;
  }
  v128.store(y, s0);
  v128.store(y + wBytes, s1);
  v128.store(y + (wBytes << 1), s2);
  v128.store(y + 3 * wBytes, s3);
}

function productOfRow(x: usize, inputs: i32, w: usize, wBytes: usize, b: usize, y: usize): void {
  const end = x + ((<usize>inputs) << 2);
  let j: usize = 0;
  for (; j + 128 <= wBytes; j += 128) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let s4 = s0;
    let s5 = s0;
    let s6 = s0;
    let s7 = s0;
    if (b !== 0) {
      const at = b + j;
      s0 = v128.load(at);
      s1 = v128.load(at, 16);
      s2 = v128.load(at, 32);
      s3 = v128.load(at, 48);
      s4 = v128.load(at, 64);
      s5 = v128.load(at, 80);
      s6 = v128.load(at, 96);
      s7 = v128.load(at, 112);
    }
    let column = w + j;
    for (let at = x; at < end; at += 4) {
      const a = v128.load32_splat(at);
      s0 = accumulate(s0, a, v128.load(column));
      s1 = accumulate(s1, a, v128.load(column, 16));
      s2 = accumulate(s2, a, v128.load(column, 32));
      s3 = accumulate(s3, a, v128.load(column, 48));
      s4 = accumulate(s4, a, v128.load(column, 64));
      s5 = accumulate(s5, a, v128.load(column, 80));
      s6 = accumulate(s6, a, v128.load(column, 96));
      s7 = accumulate(s7, a, v128.load(column, 112));
      column += wBytes;
    }
    const to = y + j;
    v128.store(to, s0);
    v128.store(to, s1, 16);
    v128.store(to, s2, 32);
    v128.store(to, s3, 48);
    v128.store(to, s4, 64);
    v128.store(to, s5, 80);
    v128.store(to, s6, 96);
    v128.store(to, s7, 112);
  }
  for (; j < wBytes; j += 16) {
    let sum = b !== 0 ? v128.load(b + j) : f32x4.splat(0);
    let column = w + j;
    for (let at = x; at < end; at += 4) {
      sum = accumulate(sum, v128.load32_splat(at), v128.load(column));
      column += wBytes;
    }
    v128.store(y + j, sum);
  }
}

/**
 * sums += x^T y: of a layer's inputs and the gradients by its outputs, the gradients by its weights.
 * @param x [rows x xWidth]
 * @param y [rows x yWidth]
 * @param sums [xWidth x yWidth]; both widths multiples of four
 */
export function addOuterProducts(x: usize, xWidth: i32, y: usize, yWidth: i32, rows: i32, sums: usize): void {
  const xBytes: usize = (<usize>xWidth) << 2;
  const yBytes: usize = (<usize>yWidth) << 2;
  for (let i: usize = 0; i < xBytes; i += 16) {
    const to = sums + (i >> 2) * yBytes;
    let j: usize = 0;
    for (; j + 32 <= yBytes; j += 32) addOuter4x8(x + i, xBytes, y + j, yBytes, rows, to + j);
    if (j < yBytes) addOuter4x4(x + i, xBytes, y + j, yBytes, rows, to + j);
  }
}

function addOuter4x8(x: usize, xBytes: usize, y: usize, yBytes: usize, rows: i32, sums: usize): void {
  const sums1 = sums + yBytes;
  const sums2 = sums1 + yBytes;
  const sums3 = sums2 + yBytes;
  let s00 = v128.load(sums);
  let s01 = v128.load(sums, 16);
  let s10 = v128.load(sums1);
  let s11 = v128.load(sums1, 16);
  let s20 = v128.load(sums2);
  let s21 = v128.load(sums2, 16);
  let s30 = v128.load(sums3);
  let s31 = v128.load(sums3, 16);
  for (; rows > 0; rows--) {
    const y0 = v128.load(y);
    const y1 = v128.load(y, 16);
    const a = v128.load32_splat(x);
    s00 = accumulate(s00, a, y0);
    s01 = accumulate(s01, a, y1);
    const b = v128.load32_splat(x, 4);
    s10 = accumulate(s10, b, y0);
    s11 = accumulate(s11, b, y1);
    const c = v128.load32_splat(x, 8);
    s20 = accumulate(s20, c, y0);
    s21 = accumulate(s21, c, y1);
    const d = v128.load32_splat(x, 12);
    s30 = accumulate(s30, d, y0);
    s31 = accumulate(s31, d, y1);
    x += xBytes;
    y += yBytes;
  }
  v128.store(sums, s00);
  v128.store(sums, s01, 16);
  v128.store(sums1, s10);
  v128.store(sums1, s11, 16);
  v128.store(sums2, s20);
  v128.store(sums2, s21, 16);
  v128.store(sums3, s30);
  v128.store(sums3, s31, 16);
}

function addOuter4x4(x: usize, xBytes: usize, y: usize, yBytes: usize, rows: i32, sums: usize): void {
  const sums1 = sums + yBytes;
  const sums2 = sums1 + yBytes;
  const sums3 = sums2 + yBytes;
  let s0 = v128.load(sums);
  let s1 = v128.load(sums1);
  let s2 = v128.load(sums2);
  let s3 = v128.load(sums3);
  for (; rows > 0; rows--) {
    const y0 = v128.load(y);
    s0 = accumulate(s0, v128.load32_splat(x), y0);
    s1 = accumulate(s1, v128.load32_splat(x, 4), y0);
    s2 = accumulate(s2, v128.load32_splat(x, 8), y0);
    s3 = accumulate(s3, v128.load32_splat(x, 12), y0);
    x += xBytes;
    y += yBytes;
  }
  v128.store(sums, s0);
  v128.store(sums1, s1);
  v128.store(sums2, s2);
  v128.store(sums3, s3);
}

/** sums += the sum of the rows of y. @param y [rows x width]; @param width a multiple of four */
export function addRows(y: usize, width: i32, rows: i32, sums: usize): void {
  const yBytes: usize = (<usize>width) << 2;
  for (let j: usize = 0; j < yBytes; j += 16) {
    let sum = v128.load(sums + j);
    let at = y + j;
    for (let r = 0; r < rows; r++) {
      sum = f32x4.add(sum, v128.load(at));
      at += yBytes;
    }
    v128.store(sums + j, sum);
  }
}
