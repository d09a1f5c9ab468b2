"""The environments under their names in Gymnasium's registry."""

from __future__ import annotations

import gymnasium


def register_envs() -> None:
    """Registers them once; `import ccpark` has done it."""
    if "ccpark/CongestionControl-v0" in gymnasium.registry:
        return
    gymnasium.register(
        id="ccpark/CongestionControl-v0",
        entry_point="ccpark.env:CongestionControlEnv",
        vector_entry_point="ccpark.vector:CongestionControlVectorEnv",
    )
