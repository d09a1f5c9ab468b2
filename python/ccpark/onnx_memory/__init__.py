"""The memory of a recurrent policy in an ONNX graph: what it keeps comes in and goes out with every step.

A cell of torch's ``nn.LSTM`` is written in plain operators, one step of it: its state are two inputs ``[batch, units]``
and two outputs of the same shape per layer, zeros at the start of a run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

__all__ = ["Lstm"]

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Lstm:
    """Weights of an LSTM, layer by layer.

    Attributes:
        layers: of each ``weight_ih``, ``weight_hh``, ``bias_ih``, ``bias_hh``, as torch has them: the gates i, f, g, o
            one below the other
    """

    layers: tuple[tuple[Array, Array, Array, Array], ...]

    @staticmethod
    def of(module: torch.nn.LSTM) -> Lstm:
        """Of a module with one direction and no projection.

        Raises:
            ValueError: another one.
        """
        if module.bidirectional or module.proj_size > 0 or not module.bias:
            raise ValueError(
                "LSTM: got one of two directions, with a projection or without biases, expected a plain one"
            )

        def weights(k: int) -> tuple[Array, Array, Array, Array]:
            names = (f"weight_ih_l{k}", f"weight_hh_l{k}", f"bias_ih_l{k}", f"bias_hh_l{k}")
            got = [getattr(module, name).detach().cpu().numpy().astype(np.float32) for name in names]
            return got[0], got[1], got[2], got[3]

        return Lstm(tuple(weights(k) for k in range(module.num_layers)))

    @property
    def inputs(self) -> int:
        """Width of what it is given."""
        return int(self.layers[0][0].shape[1])

    @property
    def units(self) -> int:
        """Width of what it answers, and of each part of its state."""
        return int(self.layers[0][1].shape[1])

    @property
    def state(self) -> dict[str, str]:
        """The output that is an input of the next step, by that input."""
        return {f"{part}{k}": f"{part}{k}_next" for k in range(len(self.layers)) for part in ("hidden", "cell")}

    def nodes(self, value: str, constant: Any) -> tuple[str, list[Any]]:
        """One step.

        Args:
            value: what it is given, float32 ``[batch, inputs]``
            constant: makes a constant of an array and answers its name

        Returns:
            The name of its answer, float32 ``[batch, units]``, and the nodes.
        """
        from onnx import helper

        nodes: list[Any] = []

        def add(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
            nodes.append(helper.make_node(kind, inputs, [output], **attributes))
            return output

        for k, (ih, hh, bias_ih, bias_hh) in enumerate(self.layers):
            name = f"lstm{k}"
            of_input = add("Gemm", [value, constant(ih), constant(bias_ih)], f"{name}.x", transB=1)
            of_state = add("Gemm", [f"hidden{k}", constant(hh), constant(bias_hh)], f"{name}.h", transB=1)
            both = add("Add", [of_input, of_state], f"{name}.gates")
            gates = [f"{name}.{gate}" for gate in "ifgo"]
            nodes.append(helper.make_node("Split", [both], gates, axis=1))
            i, f, o = (add("Sigmoid", [gates[n]], f"{gates[n]}.open") for n in (0, 1, 3))
            g = add("Tanh", [gates[2]], f"{gates[2]}.new")
            kept = add("Mul", [f, f"cell{k}"], f"{name}.kept")
            taken = add("Mul", [i, g], f"{name}.taken")
            cell = add("Add", [kept, taken], f"cell{k}_next")
            shown = add("Tanh", [cell], f"{name}.shown")
            value = add("Mul", [o, shown], f"hidden{k}_next")
        return value, nodes
