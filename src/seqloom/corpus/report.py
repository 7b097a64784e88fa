"""What cleaning kept, what it dropped, and why, with examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

EXAMPLES = 3
"""Examples kept for each filter."""

_SHOWN = 80  # characters of a text in an example


@dataclass(frozen=True)
class Example:
    """A pair that was dropped; its texts are shortened."""

    pair: int
    """Number of the pair in the corpus, counted from 1: the line, for files without a header."""
    source: str
    target: str
    score: float


@dataclass
class Dropped:
    """What one filter dropped."""

    reason: str
    count: int = 0
    examples: list[Example] = field(default_factory=list)


@dataclass
class Report:
    """Counts of one pass over a corpus; they are complete when the pass has ended."""

    read: int = 0
    kept: int = 0
    dropped: dict[str, Dropped] = field(default_factory=dict)
    """By name of the filter, in the order in which the filters were applied."""

    def text(self) -> str:
        """The report for people: one line a filter, its examples below."""
        lines = [f"{self.read} pairs read, {self.kept} kept, {self.read - self.kept} dropped"]
        for name, dropped in self.dropped.items():
            lines.append(f"  {name}: {dropped.count} ({dropped.reason})")
            lines.extend(
                f"    pair {example.pair}: {example.source!r} | {example.target!r}"
                for example in dropped.examples
            )
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The report for ``report.json``."""
        return {
            "read": self.read,
            "kept": self.kept,
            "dropped": {
                name: {
                    "count": dropped.count,
                    "reason": dropped.reason,
                    "examples": [vars(example) for example in dropped.examples],
                }
                for name, dropped in self.dropped.items()
            },
        }


def shorten(text: str, limit: int = _SHOWN) -> str:
    """The beginning of a text that is longer than ``limit`` characters, and its length."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text)} characters)"
