"""Parameters of ours and of theirs, linked by name: one table serves both directions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from seqloom.errors import ExportError


class Link(NamedTuple):
    """One tensor of theirs and what it is with us."""

    theirs: str
    ours: tuple[str, ...]
    """One name, or several whose rows stand below each other in theirs."""
    transposed: bool = False
    """Theirs is turned: inputs by outputs (GPT-2)."""
    skipped: int = 0
    """Rows at the beginning of theirs that no model reads; zero when written (BART)."""
    aliases: tuple[str, ...] = ()
    """Other names of theirs for the same tensor, any of which may be in a checkpoint."""
    part: str = ""
    """A part of the model that checkpoints may lack as a whole."""
    interleaved: int = 0
    """Heads whose rows are paired 0 1, 2 3, ... in theirs for rotary positions (RoFormer); ours
    pair the first half with the second. 0 where both are alike."""


def linear(theirs: str, *ours: str, transposed: bool = False, bias: bool = True) -> list[Link]:
    """The links of a layer with weight and bias."""
    kinds = ("weight", "bias") if bias else ("weight",)
    return [
        Link(
            f"{theirs}.{kind}",
            tuple(f"{name}.{kind}" for name in ours),
            transposed=transposed and kind == "weight",
        )
        for kind in kinds
    ]


class Taken(NamedTuple):
    """Weights under our names."""

    weights: dict[str, Tensor]
    lacking: tuple[str, ...]
    """Parts of the model that the checkpoint does not have."""


def take(
    links: Sequence[Link],
    theirs: Mapping[str, Tensor],
    shapes: Mapping[str, torch.Size],
    where: str,
    surplus: re.Pattern[str],
) -> Taken:
    """Their weights under our names.

    Args:
        links: all parameters of the model.
        theirs: the checkpoint.
        shapes: of our parameters, by name.
        where: what messages call the checkpoint.
        surplus: tensors of theirs that need no place with us.

    Raises:
        ExportError: tensors are missing, surplus or of another shape; all of them are listed.
    """
    present = {link: _present(link, theirs) for link in links}
    has = {link.part for link, name in present.items() if link.part and name}
    wanted = [link for link in links if not link.part or link.part in has]
    known = {name for link in links for name in (link.theirs, *link.aliases)}
    problems = [f"missing: {link.theirs}" for link in wanted if present[link] is None]
    problems += [
        f"surplus: {name}" for name in theirs if name not in known and not surplus.fullmatch(name)
    ]
    weights: dict[str, Tensor] = {}
    for link in wanted:
        name = present[link]
        if name is None:
            continue
        expected = _shape(link, [shapes[each] for each in link.ours])
        if theirs[name].shape != expected:
            found = tuple(theirs[name].shape)
            problems.append(f"{name}: expected {expected}, found {found}")
            continue
        weights |= zip(link.ours, _apart(link, theirs[name], shapes), strict=True)
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in sorted(problems))
        raise ExportError(f"{where}: the weights do not fit its config.json:\n{listed}")
    return Taken(weights, tuple(sorted({link.part for link in links if link.part} - has)))


def give(links: Sequence[Link], ours: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our weights under their names."""
    given = {}
    for link in links:
        tensor = torch.cat([ours[name] for name in link.ours])
        if link.interleaved:
            tensor = _swapped(tensor, link.interleaved, 2)
        if link.skipped:
            tensor = torch.cat([tensor.new_zeros(link.skipped, *tensor.shape[1:]), tensor])
        given[link.theirs] = tensor.T if link.transposed else tensor
    return given


def _present(link: Link, theirs: Mapping[str, Tensor]) -> str | None:
    return next((name for name in (link.theirs, *link.aliases) if name in theirs), None)


def _shape(link: Link, shapes: Sequence[torch.Size]) -> tuple[int, ...]:
    """What their tensor must measure."""
    shape = (sum(each[0] for each in shapes) + link.skipped, *shapes[0][1:])
    return shape[::-1] if link.transposed else shape


def _apart(link: Link, tensor: Tensor, shapes: Mapping[str, torch.Size]) -> list[Tensor]:
    """The tensors of ours that one of theirs holds."""
    rows = (tensor.T if link.transposed else tensor)[link.skipped :]
    if link.interleaved:
        rows = _swapped(rows, link.interleaved, rows.shape[0] // link.interleaved // 2)
    parts = torch.split(rows, [shapes[name][0] for name in link.ours])
    return [part.contiguous() for part in parts]


def _swapped(rows: Tensor, heads: int, outer: int) -> Tensor:
    """Each head's rows, numbered a * inner + b with a < ``outer``, in the order b * outer + a."""
    order = torch.arange(len(rows)).view(heads, outer, -1).transpose(1, 2)
    return rows[order.flatten()]
