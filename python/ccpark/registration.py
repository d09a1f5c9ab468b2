"""The environments under their names in Gymnasium's registry."""

from __future__ import annotations

import gymnasium

from ccpark.presets import PRESETS


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
