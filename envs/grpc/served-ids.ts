/** Ids under which the environments are served, and by which stored policies say where they act. */
export const SERVED_IDS = {
  singleFlow: "ccpark/CongestionControl-v0",
  multiFlow: "ccpark/MultiFlow-v0",
} as const;
