/** xoroshiro128+ from a given state: goes on where the generator of `core/random.ts` is that the state is taken from. */
const TWO_POW_MINUS_32: f64 = 1.0 / 4294967296.0;

@unmanaged
export class Rng {
  s0: u64;
  s1: u64;

  set(s01: i32, s00: i32, s11: i32, s10: i32): void {
    this.s0 = ((<u64>(<u32>s01)) << 32) | <u64>(<u32>s00);
    this.s1 = ((<u64>(<u32>s11)) << 32) | <u64>(<u32>s10);
  }

  /** Uniform in [0, 1), a multiple of 2^-32. */
  @inline
  next(): f64 {
    const s0 = this.s0;
    const out = <u32>(s0 + this.s1);
    const s1 = this.s1 ^ s0;
    this.s0 = rotl<u64>(s0, 24) ^ s1 ^ (s1 << 16);
    this.s1 = rotl<u64>(s1, 37);
    return <f64>out * TWO_POW_MINUS_32;
  }
}
