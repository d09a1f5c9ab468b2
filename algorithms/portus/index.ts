/**
 * Twins of the algorithms published with Portus: on the wire they behave as those do, limits included, so that a change
 * of the agent alone can be told from a change of the algorithm. `agents/baselines` has the algorithms as their papers
 * describe them.
 */
export { portusBbr } from "./bbr.ts";
export { portusConst } from "./const.ts";
export { portusReno } from "./reno.ts";
export { portusVegas } from "./vegas.ts";
