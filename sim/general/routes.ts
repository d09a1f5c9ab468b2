/**
 * All routes as one table: a packet's place is an index of it, the hop there is the entry, and its next hop is the entry
 * behind it. Behind the last hop of a route stands a negative entry, the complement of what kind of packet takes it.
 */
export class Routes {
  /** replaced when the table grows, so always read it through here */
  table: Int32Array = new Int32Array(0);
  readonly #places = new Map<string, number>();

  /** @returns the place where a packet of the kind begins */
  placeOf(hops: readonly number[], kind: number): number {
    const entries = [...hops, ~kind];
    const key = entries.join();
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const place = this.table.length;
    this.table = Int32Array.from([...this.table, ...entries]);
    this.#places.set(key, place);
    return place;
  }
}
