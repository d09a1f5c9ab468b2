/** A bundle: all that goes over one link towards another site, held back there at a rate that one algorithm decides for all. */
import { list, text } from "../schema/ranges.ts";
import { fields, type Schema } from "../schema/shapes.ts";

export interface BundleSpec {
  /** absent: `bundle-0`, and so on by place */
  readonly id?: string;
  /**
   * A name of `links`: the sendbox stands before it, and its queue, of any discipline, is where the bundle waits. Its rate, constant or
   * unlimited, is what it never exceeds. Packets that go over it belong to the bundle, and are counted at their receivers' site.
   */
  readonly link: string;
  /**
   * by reference; "test": the bundle is what is under test instead of the scenario's own flow, which then is that of a host, with
   * Cubic: measures are of the whole bundle, and one's queueing delays are those between the two boxes
   */
  readonly algorithm: string;
}

export const BUNDLES_SCHEMA: Schema = list(
  fields<BundleSpec>({ id: text.optional(), link: text, algorithm: text }),
);

export function bundleId({ id }: BundleSpec, place: number): string {
  return id ?? `bundle-${place}`;
}
