/** What is chosen on a page stands in its address, after `#/run/ID?`, so that it outlasts a reload and can be sent. */
import { useEffect, useState } from "preact/hooks";

const CHANGED = "hashchange";

export function useHash(): string {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = (): void => setHash(location.hash);
    addEventListener(CHANGED, changed);
    return () => removeEventListener(CHANGED, changed);
  }, []);
  return hash;
}

export interface Place {
  /** run, compare; anything else is the first page */
  readonly page: string;
  readonly ids: readonly string[];
  readonly chosen: URLSearchParams;
}

export function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [page = "", ...ids] = path.split("/");
  return { page, ids, chosen: new URLSearchParams(query) };
}

/** Of a page of runs, with what is chosen on it. */
export function hashOf(page: string, ids: readonly string[], chosen: URLSearchParams): string {
  const query = chosen.toString();
  return `#/${[page, ...ids].join("/")}${query === "" ? "" : `?${query}`}`;
}

export function runHash(id: string, link: string): string {
  return hashOf("run", [id], new URLSearchParams({ link }));
}

/** Undefined: nothing is chosen. A choice is no page of its own: Back leaves the page. */
export function useChosen(name: string): [string | undefined, (value: string) => void] {
  const { chosen } = placeOf(useHash());
  const choose = (value: string): void => {
    const { page, ids, chosen: now } = placeOf(location.hash);
    now.set(name, value);
    history.replaceState(null, "", hashOf(page, ids, now));
    dispatchEvent(new Event(CHANGED));
  };
  return [chosen.get(name) ?? undefined, choose];
}
