/** What RFC 9743 asks for that is a text of the proposal, or a part that no world here has: said, not run. */
import type { WrittenRow } from "../row.ts";

export const WRITTEN_ROWS: readonly WrittenRow[] = [
  {
    name: "experience",
    section: "3.1",
    level: "SHOULD",
    requirement: "practical experience before publication, in several implementations and at scale",
    why: "experience on the Internet is none of a simulator's; `--testbed linux` runs over Linux's own TCP what it can",
  },
  {
    name: "status",
    section: "3.2",
    level: "MUST",
    requirement: "Experimental status where safety is not yet shown, and no default deployment (SHOULD NOT)",
    why: "a decision about a document, which no run makes",
  },
  {
    name: "controlled-environments",
    section: "4",
    level: "criterion",
    requirement: "what holds an algorithm for controlled environments in them",
    why: "a text of the proposal: no run shows where it will be deployed",
  },
  {
    name: "principles",
    section: "5.3.1",
    level: "MUST",
    requirement: "deviations from RFC 2914 and RFC 7141 are explained",
    why: "a text of the proposal; RFC 7141's question, whether a small packet's loss counts for less, does not come up where all segments are full",
  },
  {
    name: "incremental-deployment",
    section: "5.3.2",
    level: "MUST",
    requirement: "incremental deployment is discussed, with proxies, optimisers and firewalls (SHOULD)",
    why: "a text of the proposal; none of these boxes is among the links here (a policer is: row policer)",
  },
  {
    name: "tunnels",
    section: "6.2",
    level: "MUST",
    requirement: "tunnels, where explicit signals of the path are relied on",
    why: "no link here encapsulates packets or clears their ECN field; where marks never come is what every row without `aqm-` shows",
  },
  {
    name: "multipath-failover",
    section: "7.10",
    level: "MUST",
    requirement: "harm and starvation by a change to another path, where the algorithm fails over",
    why: "flows here have one path: a multipath transport with a scheduler is not among the senders (row path-change changes the path under the flow)",
  },
  {
    name: "multipath-concurrent",
    section: "7.10",
    level: "MUST",
    requirement: "harm to others where several paths share a bottleneck",
    why: "flows here have one path; coupled controls (RFC 6356) are not among the algorithms",
  },
  {
    name: "security",
    section: "8",
    level: "MUST",
    requirement: "security and privacy issues are examined",
    why: "a text of the proposal; a sender beside that answers to nothing is row misbehaving, receivers that acknowledge what they have not got are not among the receivers here",
  },
];
