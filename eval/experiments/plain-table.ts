import type { TableConstructorOptions } from "cli-table3";

/** How tables of experiments look: no lines between rows, no colours. */
export const PLAIN_TABLE: TableConstructorOptions = {
  style: { head: [], border: [], compact: true, "padding-left": 1, "padding-right": 1 },
  chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
};
