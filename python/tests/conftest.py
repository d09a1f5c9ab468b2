from __future__ import annotations

from typing import Any

import pytest

# 2 s of a 48 Mbit/s link in steps of 20 ms: some hundred steps with losses, and over in milliseconds
SHORT: dict[str, Any] = {"scenario": "park-paper", "duration_sec": 2, "step_ms": 20}


@pytest.fixture
def short() -> dict[str, Any]:
    return dict(SHORT)


@pytest.fixture
def two_flows() -> dict[str, Any]:
    """One flow from the start, one that joins and leaves, and a rival that is not the learner's."""
    return {"scenario": {"extends": "park-paper", "durationSec": 4, "flows": FLOWS}}


FLOWS = [
    {"id": "late", "algorithm": "test", "startSec": 1, "stopSec": 2.5},
    {"id": "rival", "algorithm": "cubic", "startSec": 0.5},
]
