import { SIMULATED } from "../../testbeds/simulated/simulated.ts";
import { UDP } from "../../testbeds/udp/udp.ts";
import { testbedContract } from "../contract/testbed-contract.ts";

for (const testbed of [SIMULATED, UDP]) testbedContract(testbed);
