import type { Overlay } from "../overlay.ts";
import { FetchWork } from "./fetch.ts";
import { LookupWork } from "./lookups.ts";
import { RequestWork } from "./requests.ts";
import { RouteWork } from "./route.ts";
import { SplitWork } from "./split.ts";
import { TreeWork } from "./tree/tree.ts";
import type { Work } from "./work.ts";

/** Undefined: the flows alone. */
export function makeWork(overlay: Overlay): Work | undefined {
  const { work } = overlay.spec;
  switch (work?.kind) {
    case undefined:
      return undefined;
    case "route":
      return new RouteWork(overlay, work);
    case "split":
      return new SplitWork(overlay, work);
    case "tree":
      return new TreeWork(overlay, work);
    case "requests":
      return new RequestWork(overlay, work);
    case "fetch":
      return new FetchWork(overlay, work);
    case "lookups":
      return new LookupWork(overlay, work);
  }
}
