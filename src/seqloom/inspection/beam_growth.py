"""Traces of several searches grow together into one tree: equal beginnings are one path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from seqloom.decoding.hypothesis import Hypothesis
from seqloom.decoding.trace import Candidate, Trace
from seqloom.inspection.beam_tree import Node


class Growth:
    """A tree of token ids that grows by one search after the other.

    Args:
        end: the id of the symbol of the end.
    """

    def __init__(self, end: int) -> None:
        self.outputs: list[tuple[str, int, Sequence[int], bool]] = []
        """Way, last node, ids without the end, and whether it is finished."""
        self.depth = 0
        """The longest path."""
        self._end = end
        self._nodes = [Node(-1, "", 0.0, "kept")]
        self._ids = [end]
        self._places: dict[tuple[int, int], int] = {}

    def grow(self, trace: Trace, searched: bool = False) -> None:
        """Take in what a search looked at; ``searched``: it is the one whose fates are told."""
        before: list[int] = []
        for step, candidates in enumerate(trace.steps, start=1):
            last = step == len(trace.steps)
            numbers = []
            for each in candidates:
                number = self._node(0 if step == 1 else before[each.parent], each)
                if searched:
                    self._tell(number, each, last, among_twice=trace.stop is not None)
                numbers.append(number)
            before = numbers
            self.depth = max(self.depth, step)

    def add(self, way: str, found: Sequence[Hypothesis]) -> None:
        """The outputs of a search that has been taken in."""
        for each in found:
            ended = len(each.token_log_probabilities) > len(each.ids)
            node = self._find([*each.ids, self._end] if ended else each.ids)
            if each.finished and way == "beam" and not ended:  # by a string to stop at
                self._nodes[node] = replace(self._nodes[node], fate="finished")
            self.outputs.append((way, node, each.ids, each.finished))

    def add_forced(self, target: Sequence[int]) -> None:
        """The output with these ids, the last of which is the end."""
        self.outputs.append(("forced", self._find(target), target[:-1], True))

    def nodes(self, pieces: Callable[[Sequence[int]], list[str]]) -> list[Node]:
        """The nodes with the names of their tokens."""
        names = pieces(self._ids[1:])
        named = [replace(n, token=t) for n, t in zip(self._nodes[1:], names, strict=True)]
        return [self._nodes[0], *named]

    def _node(self, parent: int, each: Candidate) -> int:
        """The node of a candidate, which may be there already."""
        number = self._places.get((parent, each.token))
        if number is None:
            number = self._places[parent, each.token] = len(self._nodes)
            self._nodes.append(Node(parent, "", each.log_probability, ""))
            self._ids.append(each.token)
        node = self._nodes[number]
        if each.fate == "forbidden":
            node = replace(node, fate="forbidden", rule=each.rule or "")
        if each.draw is not None:
            node = replace(node, draw=each.draw)
        self._nodes[number] = node
        return number

    def _tell(self, number: int, each: Candidate, last: bool, among_twice: bool) -> None:
        """Keep what became of a node; what stays open after the last step is cut off."""
        fate = "cut" if last and each.fate == "kept" else each.fate
        ends = among_twice and fate == "pruned" and each.token == self._end
        self._nodes[number] = replace(
            self._nodes[number],
            fate=fate,
            rule="end" if ends else each.rule or "",
            rank=each.rank,
            missed=each.missed,
        )

    def _find(self, ids: Sequence[int]) -> int:
        node = 0
        for token in ids:
            node = self._places[node, token]
        return node
