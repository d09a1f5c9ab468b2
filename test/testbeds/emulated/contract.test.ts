import { EMULATED } from "../../../testbeds/emulated/emulated.ts";
import { testbedContract } from "../../contract/testbed-contract.ts";
import { describeWithLinks } from "../host/with-links.ts";

describeWithLinks("emulated links keep what every testbed keeps", () => testbedContract(EMULATED));
