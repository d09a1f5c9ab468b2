import { describe } from "vitest";
import { LINUX } from "../../../testbeds/linux/linux.ts";
import { testbedContract } from "../../contract/testbed-contract.ts";
import { kernelRefuses } from "./kernel-access.ts";

describe.skipIf(kernelRefuses() !== undefined)("Linux TCP keeps what every testbed keeps", () =>
  testbedContract(LINUX),
);
