/** Every registered algorithm, in each of its forms, keeps the contract. */
import { makeAlgorithm, resolveAlgorithm } from "../../algorithms/reference.ts";
import { ALGORITHMS } from "../../algorithms/registry.ts";
import { algorithmContract } from "../contract/algorithm-contract.ts";

for (const { name, params, ccp, native, recovery } of ALGORITHMS.values()) {
  const forms = [
    ...(ccp === undefined ? [] : [{ label: name, minCwndPackets: 2 }]),
    // RFC 5681: one segment after a timeout
    ...(native === undefined ? [] : [{ label: `native-${name}`, minCwndPackets: 1 }]),
  ];
  for (const form of forms) {
    const resolved = resolveAlgorithm(form.label);
    algorithmContract({
      ...form,
      params,
      make: (values = resolved.params) => makeAlgorithm({ ...resolved, params: values }),
      ...(recovery !== undefined && { recovery }),
    });
  }
}
