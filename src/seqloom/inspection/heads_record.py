"""Records of heads: the role of each, with the evidence for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from seqloom.inspection.attention_map import PARTS
from seqloom.inspection.fields import declared, members, one_of
from seqloom.inspection.head_places import head_at, parts_of
from seqloom.inspection.head_roles import ROLES, Evidence, Head, Measure, counted, told
from seqloom.inspection.heads_page import page_of
from seqloom.inspection.record import Record

if TYPE_CHECKING:
    from seqloom.corpus.pairs import Progress

_ROW = "{:<25} {:<15} {:<19} {:>9}  {:<11} {:<28} {:<18} {:>8}  {}"
_NAMES = (
    "head", "confidence", "entropy/log length", "tokens", "role", "largest weight falls on",
    "share of cases", "cases", "beside",
)  # fmt: skip
_CAPTION = "In brackets: 95 % intervals. A figure is of so many tokens, a share of so many cases."


@dataclass(frozen=True, eq=False)
class HeadsRecord(Record):
    """Every head of a model."""

    kind = "heads"
    version = 2
    noun = "heads record"
    height = 900

    heads: list[Head]
    """In the order of the computation."""
    texts: int
    """How many were read."""
    title: str = ""
    """What was read, of which model."""
    notes: list[str] = field(default_factory=list)
    """What a reader of the figures must know: texts left out, and so on."""

    def __post_init__(self) -> None:
        if not self.heads:
            raise ValueError("no head")

    def values(self) -> dict[str, Any]:
        """See :meth:`Record.values`; roles are told too, for whoever does not want to judge."""
        heads = [asdict(head) | {"roles": head.roles} for head in self.heads]
        for head, own in zip(heads, self.heads, strict=True):
            for values, each in zip(head["evidence"], own.evidence, strict=True):
                values["accepted"] = each.accepted
        return {"title": self.title, "texts": self.texts, "notes": self.notes, "heads": heads}

    @classmethod
    def of(cls, values: Mapping[str, Any], version: int) -> Self:
        """See :meth:`Record.of`."""
        given = members(declared(cls) | {"heads": list[Any]}, values)
        given["heads"] = [
            _head(each, f"heads[{n}]", version) for n, each in enumerate(given["heads"])
        ]
        return cls(**given)

    def parts(self) -> list[str]:
        """The parts that there are, in the order in which they are drawn."""
        return parts_of(self.heads)

    def head(self, layer: int, head: int, part: str | None = None) -> Head:
        """One head; see :func:`seqloom.inspection.head_places.head_at`."""
        return head_at(self.heads, layer, head, part)

    def text(self) -> str:
        """The heads for people, a line a role; figures with 95 % intervals and what they are of."""
        lines = [_CAPTION, "", _ROW.format(*_NAMES)]
        for head in self.heads:
            lines += [line.rstrip() for line in _lines(head)]
        return "\n".join([*lines, *_losses(self.heads)])

    def page(self) -> str:
        """See :meth:`Record.page`."""
        return page_of(self.as_dict())

    def picture(self, suffix: str, progress: Progress | None = None) -> bytes:
        """See :meth:`Record.picture`: the map of all heads by role."""
        from seqloom.inspection.heads_picture import map_of
        from seqloom.inspection.picture import rendered

        return rendered(map_of(self.heads, self.title), suffix)

    def picture_of(self, head: Head, suffix: str) -> bytes:
        """The chain of evidence of one head as a picture of the kind that ``suffix`` says."""
        from seqloom.inspection.heads_picture import evidence_of
        from seqloom.inspection.picture import rendered

        return rendered(evidence_of(head), suffix)


def _head(values: Any, place: str, version: int) -> Head:
    """A head; the roles that are told must be those that follow from its evidence."""
    kinds = declared(Head) | {"roles": list[str], "evidence": list[Any]}
    given = members(kinds, values, place)
    roles = given.pop("roles")
    given["evidence"] = [
        _evidence(each, f"{place}.evidence[{n}]", version)
        for n, each in enumerate(given["evidence"])
    ]
    head = Head(**given)
    one_of(PARTS, head.part, f"{place}.part")
    if head.roles != roles:
        raise ValueError(f"{place}.roles: {roles}, but the evidence says {head.roles}")
    return head


def _evidence(values: Any, place: str, version: int) -> Evidence:
    """Evidence; baselines of version 1 are values alone, without intervals and cases."""
    kinds = declared(Evidence) | {"accepted": bool}
    if version == 1:
        kinds |= {"against": dict[str, float]}
    given = members(kinds, values, place)
    if version == 1:
        against = given["against"].items()
        given["against"] = {name: Measure(value, 0.0, 1.0, 0) for name, value in against}
    accepted = given.pop("accepted")
    evidence = Evidence(**given)
    one_of(ROLES, evidence.role, f"{place}.role")
    if evidence.accepted != accepted:
        raise ValueError(f"{place}.accepted: the figures say {evidence.accepted}")
    return evidence


def _lines(head: Head) -> Iterator[str]:
    """A line for each role; for a head without any, what comes nearest to being one."""
    means = told(head.confidence), told(head.spread), f"{head.confidence.n:,}"
    first = f"{head.part} layer {head.layer} head {head.head}", *means
    for each in head.accepted or head.nearest[:1]:
        beside = ", ".join(f"{name} {_baseline(part)}" for name, part in each.against.items())
        role = each.role if each.accepted else "–"
        yield _ROW.format(*first, role, each.name, told(each), f"{each.n:,}", beside)
        first = "", "", "", ""
    if first[0]:
        yield _ROW.format(*first, "–", "(too few cases)", "", "", "")


def _baseline(each: Measure) -> str:
    """With its interval and cases, where the record has them."""
    return f"{told(each)} of {each.n:,}" if each.n else f"{each.value:.2f}"


def _losses(heads: list[Head]) -> Iterator[str]:
    """What is lost without each head, the largest loss first."""
    figures = list(heads[0].importance)
    if not figures:
        return
    yield ""
    cells = [f"{figure:<{_width(figure)}}{counted(figure):>9}" for figure in figures]
    yield f"{'lost without the head':<28}{'   '.join(cells)}"
    for head in sorted(heads, key=lambda each: -each.importance[figures[0]].value):
        name = f"{head.part} layer {head.layer} head {head.head}"
        cells = [
            f"{told(each, 4):<{_width(figure)}}{each.n:>9,}"
            for figure, each in head.importance.items()
        ]
        yield f"{name:<28}{'   '.join(cells)}"


def _width(figure: str) -> int:
    return max(len(figure), 26) + 1
