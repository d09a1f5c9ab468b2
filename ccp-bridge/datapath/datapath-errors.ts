/** Return codes of the datapath: libccp's numbers, and two of our own for what only the strict mode refuses. */

export const DATAPATH_ERRORS = {
  bufferTooShort: -22,
  messageTooLong: -23,
  unknownType: -32,
  unknownOpcode: -33,
  /** an immediate or a primitive as result */
  readOnlyResult: -34,
  badResultRegister: -35,
  badLeftRegister: -36,
  badRightRegister: -37,
  badEvent: -41,
  tooManyEvents: -42,
  tooManyInstructions: -43,
  /** ours: the program reports, but has no report fields */
  reportWithoutFields: -44,
  tooManyUpdates: -52,
  badUpdateRegister: -53,
  tooManyChanges: -62,
  unknownFlow: -71,
  programTableFull: -81,
  addOverflow: -91,
  divisionByZero: -92,
  mulOverflow: -93,
  subUnderflow: -94,
  noProgram: -96,
  fallback: -101,
} as const;

/** change_prog to a program that is not installed: libccp says success (the size of a header) and does nothing. */
export const PROGRAM_NOT_INSTALLED = 8;
