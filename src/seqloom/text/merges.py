"""The merge rules of a BPE vocabulary as a table, and the algorithm that applies them.

Greedy BPE (Sennrich et al. 2016): cut a word into characters, then join the neighbouring pair
with the lowest rank until no pair is left that has a rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any


class MergeTable:
    """Pairs of ids -> (rank, merged id), from a parsed ``tokenizer.json`` of a BPE kind."""

    def __init__(self, description: dict[str, Any]) -> None:
        model = description["model"]
        self._ids: dict[str, int] = model["vocab"]
        self.rules: dict[tuple[int, int], tuple[int, int]] = {
            (self._ids[left], self._ids[right]): (rank, self._ids[left + right])
            for rank, (left, right) in enumerate(model["merges"])
        }
        """(left, right) -> (rank, merged); lower ranks were learned first and apply first."""

    def symbols(self, word: str) -> list[int]:
        """Ids of the characters of a normalized word; bytes for those outside the alphabet."""
        found: list[int] = []
        for character in word:
            index = self._ids.get(character)
            if index is None:
                found += [self._ids[f"<0x{byte:02X}>"] for byte in character.encode("utf-8")]
            else:
                found.append(index)
        return found

    def best(self, symbols: Sequence[int]) -> tuple[int, int, int] | None:
        """The next merge as (rank, position of its left part, merged id); None when done."""
        rules = self.rules
        candidates = [
            (rule[0], position, rule[1])
            for position, pair in enumerate(pairwise(symbols))
            if (rule := rules.get(pair))
        ]
        return min(candidates, default=None)
