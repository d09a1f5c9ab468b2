/** Above all kinds of packets. */
export const FIRST_END = 16;

/**
 * All routes as one table: a packet's place is an index of it, the hop there is the entry, and its next hop is the entry
 * behind it. Behind the last hop of a route stands a negative entry, the complement of what is there: the kind of packet that
 * takes it, or FIRST_END and up for the ends of the ways of packets from outside.
 */
export class Routes {
  /** replaced when the table grows, so always read it through here */
  table: Int32Array = new Int32Array(0);
  readonly #places = new Map<string, number>();

  /** @returns the place where a packet begins whose way ends so */
  placeOf(hops: readonly number[], end: number): number {
    const entries = [...hops, ~end];
    const key = entries.join();
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const place = this.table.length;
    this.table = Int32Array.from([...this.table, ...entries]);
    this.#places.set(key, place);
    return place;
  }
}
