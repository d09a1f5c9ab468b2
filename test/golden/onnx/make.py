"""Makes ``policy.onnx`` from ``policy.ccpark`` beside it.

``ccpark train --steps 20000 --seed 1 --set hidden=[16,16]`` made the checkpoint. The graph computes in double precision
as our own forward pass does, so that both act alike to the last bit. Run it with the Python package, torch and onnx
installed: ``python test/golden/onnx/make.py``.
"""

import itertools
import json
import struct
from pathlib import Path

import ccpark
import numpy as np
import torch
from ccpark import onnx_export

HERE = Path(__file__).resolve().parent


def read_checkpoint(path: Path) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Header and arrays; agents/checkpoint.ts says how they lie."""
    data = path.read_bytes()
    size = struct.unpack_from("<I", data, 8)[0]
    header = json.loads(data[16 : 16 + size])
    arrays, at = {}, 16 + size
    for entry in header["arrays"]:
        dtype = np.dtype("<f4" if entry["type"] == "f32" else "<f8")
        arrays[entry["name"]] = np.frombuffer(data, dtype, entry["length"], at)
        at += -(-entry["length"] * dtype.itemsize // 8) * 8
    return header, arrays


def network_of(header: dict[str, object], weights: np.ndarray) -> torch.nn.Sequential:
    """The policy's layers; the log standard deviations behind them are left out."""
    sizes = [header["observationSpace"]["shape"][0], *header["hidden"], header["actionSpace"]["shape"][0]]
    layers, at = [], 0
    for inputs, outputs in itertools.pairwise(sizes):
        layer = torch.nn.Linear(inputs, outputs)
        layer.weight.data = torch.tensor(weights[at : at + inputs * outputs].reshape(inputs, outputs).T.copy())
        at += inputs * outputs
        layer.bias.data = torch.tensor(weights[at : at + outputs].copy())
        at += outputs
        layers += [layer, torch.nn.Tanh()]
    return torch.nn.Sequential(*layers[:-1])


header, arrays = read_checkpoint(HERE / "policy.ccpark")
env = ccpark.make_vec(1)
contract = onnx_export.contract_of(env, made_by="ccpark")
env.close()
model = onnx_export.build(network_of(header, arrays["policy"]), contract, None, "scale", np.float64)
onnx_export.write(model, HERE / "policy.onnx")
