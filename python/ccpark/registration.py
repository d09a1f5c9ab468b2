"""The environments under their names in Gymnasium's registry."""

from __future__ import annotations

import gymnasium

# scenarios with one flow under test; a test compares them with the service's
PRESETS = (
    "park-paper",
    "park-code",
    "ccp-fixed",
    "ccp-cell",
    "ccp-drop",
    "ccp-bbr-fig3",
    "ccp-fct",
    "pantheon-1",
    "pantheon-2",
    "pantheon-3",
    "pantheon-4",
    "pantheon-5",
    "pantheon-6",
    "pantheon-7",
    "pantheon-8",
    "pantheon-9",
    "pantheon-10",
    "pantheon-11",
    "pantheon-12",
    "pantheon-13",
    "pantheon-14",
    "pantheon-15",
    "pantheon-16",
    "pantheon-17",
    "pantheon-18",
    "orca-sample",
    "orca-step",
    "sage-sample-24-flat",
    "sage-sample-24-2x-u",
    "sage-sample-48-2x-d",
    "nyc-cellular",
    "ccbench1-grid",
    "ccbench2-grid",
    "rmcat-5.1",
    "rmcat-5.6",
    "aurora-train",
    "genet-udr3",
    "indigo-train",
    "ns3gym-rltcp",
    "raynet-orca",
    "marlin",
    "nebby",
    "prudentia-8",
    "prudentia-50",
    "cctestbed-table",
    "coco-default",
    "quic-interop-goodput",
    "link-12mbps-40ms-1bdp",
    "link-24mbps-80ms-2bdp",
    "link-96mbps-20ms-1bdp",
    "link-72mbps-60ms-4bdp",
    "cell-lte-driving",
    "cell-lte-slow-walk",
    "bbr-draft",
    "leo",
    "flows-mobility",
    "flows-standby",
    "flows-overflow-feedback",
    "bundle-alone",
    "bundle-rival",
    "stack",
    "stack-shared",
    "ron-outage-3",
    "anycast-4x20",
    "kofn-fetch",
)


def register_envs() -> None:
    """Registers "ccpark/CongestionControl-v0", and "ccpark/park-paper-v0" and so on; `import ccpark` has done it."""
    if "ccpark/CongestionControl-v0" in gymnasium.registry:
        return
    names = {"CongestionControl": {}, **{preset: {"scenario": preset} for preset in PRESETS}}
    for name, kwargs in names.items():
        gymnasium.register(
            id=f"ccpark/{name}-v0",
            entry_point="ccpark.env:CongestionControlEnv",
            vector_entry_point="ccpark.vector:CongestionControlVectorEnv",
            kwargs=kwargs,
        )
