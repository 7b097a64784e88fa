"""Records of heads: the role of each, with the evidence for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from seqloom.inspection.attention_map import PARTS
from seqloom.inspection.fields import declared, members, one_of
from seqloom.inspection.head_places import head_at, parts_of
from seqloom.inspection.head_roles import ROLES, Evidence, Head
from seqloom.inspection.heads_page import page_of
from seqloom.inspection.record import Record

if TYPE_CHECKING:
    from seqloom.corpus.pairs import Progress

_ROW = "{:<26} {:>10}  {:<12} {:<28} {:>7} {:>16} {:>8}   {}"


@dataclass(frozen=True, eq=False)
class HeadsRecord(Record):
    """Every head of a model."""

    kind = "heads"
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
        given["heads"] = [_head(each, f"heads[{n}]") for n, each in enumerate(given["heads"])]
        return cls(**given)

    def parts(self) -> list[str]:
        """The parts that there are, in the order in which they are drawn."""
        return parts_of(self.heads)

    def head(self, layer: int, head: int, part: str | None = None) -> Head:
        """One head; see :func:`seqloom.inspection.head_places.head_at`."""
        return head_at(self.heads, layer, head, part)

    def text(self) -> str:
        """The heads for people, a line a role with its figure, cases and 95 % interval."""
        names = ("head", "confidence", "role", "largest weight falls on", "share", "95 % interval")
        lines = [_ROW.format(*names, "cases", "beside").rstrip()]
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


def _head(values: Any, place: str) -> Head:
    """A head; the roles that are told must be those that follow from its evidence."""
    kinds = declared(Head) | {"roles": list[str], "evidence": list[Any]}
    given = members(kinds, values, place)
    roles = given.pop("roles")
    given["evidence"] = [
        _evidence(each, f"{place}.evidence[{n}]") for n, each in enumerate(given["evidence"])
    ]
    head = Head(**given)
    one_of(PARTS, head.part, f"{place}.part")
    if head.roles != roles:
        raise ValueError(f"{place}.roles: {roles}, but the evidence says {head.roles}")
    return head


def _evidence(values: Any, place: str) -> Evidence:
    given = members(declared(Evidence) | {"accepted": bool}, values, place)
    accepted = given.pop("accepted")
    evidence = Evidence(**given)
    one_of(ROLES, evidence.role, f"{place}.role")
    if evidence.accepted != accepted:
        raise ValueError(f"{place}.accepted: the figures say {evidence.accepted}")
    return evidence


def _lines(head: Head) -> Iterator[str]:
    """A line for each role; for a head without any, what comes nearest to being one."""
    name = f"{head.part} layer {head.layer} head {head.head}"
    confidence = f"{100 * head.confidence.value:.0f} %"
    for each in head.accepted or head.nearest[:1]:
        share, ends = f"{100 * each.value:.1f} %", f"[{100 * each.low:.1f}, {100 * each.high:.1f}]"
        beside = ", ".join(f"{told} {100 * part:.0f} %" for told, part in each.against.items())
        role = each.role if each.accepted else "–"
        yield _ROW.format(name, confidence, role, each.name, share, ends, f"{each.n:,}", beside)
        name = confidence = ""
    if name:
        yield _ROW.format(name, confidence, "–", "(too few cases)", "", "", "", "")


def _losses(heads: list[Head]) -> Iterator[str]:
    """What is lost without each head, the largest loss first."""
    if not heads[0].importance:
        return
    figures = list(heads[0].importance)
    yield ""
    yield "lost without the head".ljust(28) + "".join(
        f"{figure:>16} {'95 % interval':>20}" for figure in figures
    )
    for head in sorted(heads, key=lambda each: -each.importance[figures[0]].value):
        name = f"{head.part} layer {head.layer} head {head.head}".ljust(28)
        losses = (head.importance[figure] for figure in figures)
        yield name + "".join(
            f"{each.value:>16.4f} {f'[{each.low:.4f}, {each.high:.4f}]':>20}" for each in losses
        )
