/** Adam on flat arrays. */

/**
 * One step.
 * @param parameters, gradient, m, v [count] each, a multiple of four
 * @param shrink scales the gradient
 * @param rate the step size with the corrections of both moments
 * @param kept1, new1 shares of the old and of the new in the first moment; 2: in the second
 */
export function step(
  parameters: usize,
  gradient: usize,
  m: usize,
  v: usize,
  count: i32,
  shrink: f32,
  rate: f32,
  kept1: f32,
  new1: f32,
  kept2: f32,
  new2: f32,
  epsilon: f32,
): void {
  const keptOfMean = f32x4.splat(kept1);
  const newOfMean = f32x4.splat(new1);
  const keptOfSquare = f32x4.splat(kept2);
  const newOfSquare = f32x4.splat(new2);
  const shrinks = f32x4.splat(shrink);
  const rates = f32x4.splat(rate);
  const epsilons = f32x4.splat(epsilon);
  const bytes: usize = (<usize>count) << 2;
  for (let at: usize = 0; at < bytes; at += 16) {
    const g = f32x4.mul(v128.load(gradient + at), shrinks);
    const mean = f32x4.add(f32x4.mul(keptOfMean, v128.load(m + at)), f32x4.mul(newOfMean, g));
    const square = f32x4.add(
      f32x4.mul(keptOfSquare, v128.load(v + at)),
      f32x4.mul(newOfSquare, f32x4.mul(g, g)),
    );
    v128.store(m + at, mean);
    v128.store(v + at, square);
    const by = f32x4.div(f32x4.mul(rates, mean), f32x4.add(f32x4.sqrt(square), epsilons));
    v128.store(parameters + at, f32x4.sub(v128.load(parameters + at), by));
  }
}
