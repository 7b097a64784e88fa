"""Values that become what dataclasses declare, and those that are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest

from seqloom.inspection.arrays import packed, unpacked
from seqloom.inspection.fields import members, read


@dataclass(frozen=True)
class Inner:
    share: float
    rank: int | None


@dataclass(frozen=True)
class Outer:
    name: str
    kind: Literal["one", "other"]
    inner: list[Inner]
    pairs: list[tuple[str, float]]
    row: tuple[int, ...]
    told: dict[str, bool]
    anything: Any


VALUES: dict[str, Any] = {
    "name": "a", "kind": "one", "inner": [{"share": 1, "rank": None}, {"share": 0.5, "rank": 2.0}],
    "pairs": [["b", 3]], "row": [1, 2], "told": {"x": True}, "anything": {"y": [None]},
}  # fmt: skip


def test_values_become_a_dataclass() -> None:
    found = read(Outer, VALUES)
    inner = [Inner(1.0, None), Inner(0.5, 2)]
    assert found == Outer("a", "one", inner, [("b", 3.0)], (1, 2), {"x": True}, {"y": [None]})
    assert (type(found.inner[0].share), type(found.inner[1].rank)) == (float, int)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 3}, "name: expected text, found 3"),
        ({"name": None}, "name: expected text, found null"),
        ({"kind": "third"}, 'kind: expected "one" or "other", found "third"'),
        ({"kind": ["one"]}, 'kind: expected "one" or "other", found ["one"]'),
        ({"inner": {}}, "inner: expected a list, found {}"),
        ({"inner": "abc"}, 'inner: expected a list, found "abc"'),
        ({"inner": [3]}, "inner[0]: expected an object, found 3"),
        ({"inner": [{"share": 1}]}, "inner[0]: the field 'rank' is missing"),
        ({"inner": [{"share": 1, "rank": 1, "x": 2}]}, "inner[0]: 'x' is no field of it"),
        ({"inner": [{"share": True, "rank": 1}]}, "inner[0].share: expected a number, found true"),
        ({"inner": [{"share": "1", "rank": 1}]}, 'inner[0].share: expected a number, found "1"'),
        ({"inner": [{"share": 1, "rank": 1.5}]}, "inner[0].rank: expected a whole number, found"),
        ({"pairs": [["b"]]}, "pairs[0]: expected 2 values, found 1"),
        ({"row": [1, True]}, "row[1]: expected a whole number, found true"),
        ({"row": [1, "2"]}, 'row[1]: expected a whole number, found "2"'),
        ({"told": {"x": 1}}, "told.x: expected true or false, found 1"),
        ({"name": ["long"] * 99}, '"long", "long",… (792 characters)'),
    ],
)
def test_what_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        read(Outer, {**VALUES, **change})
    assert message in str(caught.value)


def test_fields_that_are_missing_or_unknown() -> None:
    with pytest.raises(ValueError, match=r"^the field 'b' is missing$"):
        members({"a": int, "b": str}, {"a": 1})
    with pytest.raises(ValueError, match=r"^'c' is no field of it$"):
        members({"a": int}, {"a": 1, "c": 1})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": [3]}, r"w: 2 numbers do not fill the shape \(3,\)"),
        ({"shape": [-1, 2]}, "w: 2 numbers do not fill"),
        ({"float32": "AAAA!"}, "w: "),
        ({"float32": "AAAA"}, "w: "),
        ({"float32": [1, 2]}, "w.float32: expected text"),
        ({"float64": ""}, "w: 'float64' is no field of it"),
    ],
)
def test_arrays_that_are_damaged(change: dict[str, Any], message: str) -> None:
    good = packed(np.float32([1, 2]))
    assert unpacked(good, "w").tolist() == [1, 2]
    with pytest.raises(ValueError, match=message):
        unpacked({**good, **change}, "w")
