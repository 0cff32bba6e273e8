"""A graph cut into stages at the frontier of inputs that vary more often than the others.

Each stage takes inputs and what earlier stages return, so that a change of a late input costs the
late stages alone. Which input is late follows from the graph: from how much work depends on it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.native.program import Function, packed, unpacked


@dataclass(frozen=True)
class Stages:
    """Compiled functions, one a stage, and the stage in which each varying input enters."""

    functions: tuple[Function, ...]
    level: dict[str, int]

    def to_bytes(self) -> bytes:
        """Return the stages as a header in JSON and their functions."""
        return packed({"level": self.level}, tuple(f.to_bytes() for f in self.functions))

    @classmethod
    def from_bytes(cls, content: bytes) -> "Stages":
        """Return the stages that :meth:`to_bytes` wrote."""
        header, parts = unpacked(content)
        return cls(tuple(map(Function.from_bytes, parts)), header["level"])


def compile_stages(
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
    *,
    varying: Collection[str] = (),
    shares: Sequence[float] = (),
) -> Stages:
    """Compile a graph of one draw in stages.

    Parameters
    ----------
    inputs, outputs
        PyTensor variables with static shapes, by name; each input bears its name.
    varying
        Inputs that vary while the others stay.
    shares
        Descending shares of the work: a varying input enters stage i + 1 if what depends on it is
        at most the share i of all. None gives one stage.

    Raises
    ------
    UnknownOperationError
        If the graph has an operation that the compiler does not know.
    """
    from forecast.native.lowering import compile_function

    pieces, level = stages_of(inputs, outputs, varying=varying, shares=shares)
    made = []
    for takes, gives in pieces:
        for name, x in takes.items():
            x.name = name
        made.append(compile_function(list(takes.values()), gives))
    return Stages(tuple(made), level)


def stages_of(
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
    *,
    varying: Collection[str],
    shares: Sequence[float],
) -> tuple[list[tuple[dict[str, Any], dict[str, Any]]], dict[str, int]]:
    """Return the inputs and outputs of each stage, and the stage in which varying inputs enter."""
    from pytensor.graph import Constant, FunctionGraph
    from pytensor.graph.rewriting.basic import MergeOptimizer

    fgraph = FunctionGraph(list(inputs.values()), list(outputs.values()), clone=True)
    MergeOptimizer().rewrite(fgraph)
    source = dict(zip(inputs, fgraph.inputs, strict=True))
    named = dict(zip(outputs, fgraph.outputs, strict=True))
    order = fgraph.toposort()
    entry = _entries(order, source, varying=varying, shares=shares)
    level: dict[Any, int] = {x: entry.get(name, 0) for name, x in source.items()}
    for node in order:
        deepest = max((level.get(x, 0) for x in node.inputs), default=0)
        level |= dict.fromkeys(node.outputs, deepest)
    room: dict[Any, int] = {x: _size(x) for x in source.values()}
    for node in order:
        again = sum(room.get(x, 0) for x in node.inputs)
        for x in node.outputs:
            room[x] = min(_size(x), again) if _elementwise(node.op) else _size(x)
    last, names = len(shares), {x: name for name, x in source.items()}
    takes: list[dict[str, Any]] = [{} for _ in range(last + 1)]
    gives: list[dict[str, Any]] = [{} for _ in range(last + 1)]

    def use(x: Any, stage: int) -> None:
        if isinstance(x, Constant):
            return
        if x.owner is not None and room[x] < _size(x):  # computed again in this stage
            for y in x.owner.inputs:
                use(y, stage)
            return
        if x not in names:
            names[x] = f"frontier{len(names)}"
        if x.owner is not None and level[x] < stage:
            gives[level[x]].setdefault(names[x], x)
        if x.owner is None or level[x] < stage:
            takes[stage].setdefault(names[x], x)

    for node in order:
        stage = level[node.outputs[0]]
        for x in node.inputs:
            if x.owner is None or level[x] < stage:
                use(x, stage)
    for name, x in named.items():
        if x.owner is None or level[x] < last:
            use(x, last)
        gives[last][name] = x
    return list(zip(takes, gives, strict=True)), {k: v for k, v in entry.items() if k in varying}


def _size(x: Any) -> int:
    return int(np.prod(x.type.shape)) if _static(x) else 0


def _elementwise(op: Any) -> bool:
    """Return whether a result may be computed again where it is cheaper to keep what it is of."""
    from pytensor.tensor.basic import Join, MakeVector
    from pytensor.tensor.elemwise import DimShuffle, Elemwise

    return isinstance(op, DimShuffle | Elemwise | Join | MakeVector)


def _entries(
    order: Sequence[Any],
    source: Mapping[str, Any],
    *,
    varying: Collection[str],
    shares: Sequence[float],
) -> dict[str, int]:
    """Return the stage in which each varying input enters: the later, the less follows from it."""
    after: dict[Any, set[str]] = {x: {name} for name, x in source.items() if name in varying}
    work, total = dict.fromkeys(varying, 0.0), 0.0
    for node in order:
        behind = set().union(*(after.get(x, set()) for x in node.inputs))
        after |= dict.fromkeys(node.outputs, behind)
        cost = _cost(node)
        total += cost
        for name in behind:
            work[name] += cost
    return {name: sum(work[name] <= share * total for share in shares) for name in varying}


SLOW = ("exp", "log", "sigmoid", "erf", "gammaln", "pow", "softplus", "tanh", "sin", "cos")
"""Parts of the names of operations that cost several times a product."""


def _cost(node: Any) -> float:
    size = max(int(np.prod(x.type.shape)) for x in (*node.inputs, *node.outputs) if _static(x))
    return size * (10.0 if any(word in str(node.op).lower() for word in SLOW) else 1.0)


def _static(x: Any) -> bool:
    return None not in getattr(x.type, "shape", (None,))
