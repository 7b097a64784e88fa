"""A search as a tree: every continuation that was looked at, and what became of it.

Node 0 is the beginning. The score of a node is the sum of the log-probabilities on its path,
divided by the length penalty of its length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from functools import cached_property
from types import GenericAlias
from typing import Any, NamedTuple, Self

from seqloom.inspection.fields import declared, members
from seqloom.recipe import DecodingRecipe

FATES = ("kept", "finished", "pruned", "forbidden", "cut", "")
"""Went on; wrote the end; too low; not allowed; open when the search ended; not looked at by it."""
WAYS = {
    "beam": "beam search",
    "greedy": "greedy search",
    "sample": "sampling",
    "forced": "the forced text",
}
"""How an output came about."""
OPTIONS = (
    "beam",
    "nbest",
    "longest",
    "length_penalty",
    "alpha",
    "no_repeat_ngram",
    "repetition_penalty",
)
"""What a tree tells of its search: fields of the decoding recipe, and the longest output."""
SAMPLING = ("temperature", "top_k", "top_p", "min_p", "seed")
"""What it tells besides where samples are shown."""
RULES = ("", "prefix", "special", "repeated", "end")
STOPS = ("final", "limit", "ended")
"""Nothing could enter the n-best; the longest output is reached; the only hypothesis has ended."""


@dataclass(frozen=True)
class Node:
    """A hypothesis: its parent's with one more token."""

    parent: int
    """-1 of the beginning."""
    token: str
    log_probability: float
    """Of the token, as the model gives it."""
    fate: str
    """One of :data:`FATES`."""
    rule: str = ""
    """What forbids it; or ``end``: the search needs it among twice the beam, not among the beam."""
    rank: int | None = None
    """Its place, from 1, among all continuations of the step that are allowed."""
    missed: float | None = None
    """Pruned: by how much log-probability the last that was taken is ahead."""
    draw: float | None = None
    """The probability with which sampling draws the token."""


@dataclass(frozen=True)
class Output:
    """A path that a search wrote, or that was forced."""

    way: str
    """One of :data:`WAYS`."""
    node: int
    """The last of its path."""
    text: str
    finished: bool
    """False where the longest output cut it off."""


@dataclass(frozen=True)
class Stopped:
    """Why the search ended."""

    rule: str
    """One of :data:`STOPS`."""
    step: int
    """After which step, from 1."""
    attainable: float | None = None
    """The best score that an open hypothesis could still reach; None where none was open."""
    worst: float | None = None
    """The score of the last of the n-best; None where fewer had finished."""


class Pair(NamedTuple):
    """A step of two outputs beside each other; 0 and 0.0 behind the end of one."""

    winner: int
    """Node of what the search chose."""
    forced: int
    difference: float
    """Total of the forced text so far, less that of the winner."""


@dataclass(frozen=True)
class BeamTree:
    """The tree, and the outputs in it."""

    title: str
    """What was read."""
    options: dict[str, Any]
    """:data:`OPTIONS`, and :data:`SAMPLING` where samples are shown."""
    penalties: list[float]
    """What a score is divided by, from length 1 on."""
    nodes: list[Node]
    outputs: list[Output]
    """Those of beam search first, best first."""
    stop: Stopped

    def __post_init__(self) -> None:
        if not self.nodes or self.nodes[0].parent != -1:
            raise ValueError("no beginning")
        for number, node in enumerate(self.nodes[1:], start=1):
            if not 0 <= node.parent < number:
                raise ValueError(f"node {number} continues node {node.parent}")
            if node.fate not in FATES or node.rule not in RULES:
                raise ValueError(f"node {number}: no such fate: {node.fate!r}, {node.rule!r}")
        if len(self.penalties) < max(self.depths) or min(self.penalties, default=1) <= 0:
            raise ValueError(f"{len(self.penalties)} penalties for {max(self.depths)} steps")
        if not self.outputs or self.outputs[0].way != "beam":
            raise ValueError("no output of the search")
        for output in self.outputs:
            if output.way not in WAYS or not 0 < output.node < len(self.nodes):
                raise ValueError(f"an output of {output.way!r} at node {output.node}")
        if self.stop.rule not in STOPS:
            raise ValueError(f"no such reason to stop: {self.stop.rule!r}")

    @cached_property
    def depths(self) -> list[int]:
        """Tokens on the path of each node."""
        found = [0]
        for node in self.nodes[1:]:
            found.append(found[node.parent] + 1)
        return found

    @cached_property
    def totals(self) -> list[float]:
        """Log-probability of the path of each node."""
        found = [0.0]
        for node in self.nodes[1:]:
            found.append(found[node.parent] + node.log_probability)
        return found

    @cached_property
    def children(self) -> list[list[int]]:
        """The nodes that continue each node, as they were noted."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for number, node in enumerate(self.nodes[1:], start=1):
            found[node.parent].append(number)
        return found

    def score(self, node: int) -> float:
        """What hypotheses of different lengths are compared by."""
        return self.totals[node] / self.penalties[self.depths[node] - 1] if node else 0.0

    def path(self, node: int) -> list[int]:
        """The nodes from the first token to this one."""
        found = []
        while node:
            found.append(node)
            node = self.nodes[node].parent
        return found[::-1]

    def of_way(self, way: str) -> list[Output]:
        """The outputs of one way, as they are ranked."""
        return [output for output in self.outputs if output.way == way]

    @property
    def winner(self) -> Output:
        """What the search chose."""
        return self.outputs[0]

    @property
    def forced(self) -> Output | None:
        """The text that was forced, if one was."""
        return next(iter(self.of_way("forced")), None)

    def pairs(self, forced: Output) -> list[Pair]:
        """The forced text beside the winner, token by token."""
        winner, other = self.path(self.winner.node), self.path(forced.node)
        found = []
        for step in range(max(len(winner), len(other))):
            totals = [self.totals[path[min(step, len(path) - 1)]] for path in (winner, other)]
            ours, theirs = (path[step] if step < len(path) else 0 for path in (winner, other))
            found.append(Pair(ours, theirs, totals[1] - totals[0]))
        return found

    def values(self) -> dict[str, Any]:
        """The fields as plain values; nodes a column a field."""
        names = [field.name for field in fields(Node)]
        columns = zip(*map(astuple, self.nodes), strict=True)
        return {
            "title": self.title,
            "options": self.options,
            "penalties": self.penalties,
            "nodes": {name: list(column) for name, column in zip(names, columns, strict=True)},
            "outputs": [vars(output) for output in self.outputs],
            "stop": vars(self.stop),
        }

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The tree with these values.

        Raises:
            ValueError: something is wrong with them.
        """
        given = members(declared(BeamTree) | {"nodes": Any, "options": dict[str, Any]}, values)
        given["options"] = _options(given["options"])
        kinds = {name: GenericAlias(list, (kind,)) for name, kind in declared(Node).items()}
        columns = members(kinds, given["nodes"], "nodes").values()
        if len(lengths := {len(column) for column in columns}) > 1:
            raise ValueError(f"nodes: columns of {' and '.join(map(str, sorted(lengths)))} nodes")
        given["nodes"] = [Node(*row) for row in zip(*columns, strict=True)]
        return cls(**given)


def _options(values: dict[str, Any]) -> dict[str, Any]:
    """What the search was told, as its recipe has it; the longest output is a number of tokens."""
    names = [*OPTIONS, *(SAMPLING if not values.keys().isdisjoint(SAMPLING) else ())]
    recipe = DecodingRecipe.model_fields
    kinds = {name: int if name == "longest" else recipe[name].annotation for name in names}
    return members(kinds, values, "options")
