"""The record of an examination as text for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

_SUSPECTS = 10  # of those in the record
_STRETCHES = 20
_NAMES = 4  # languages and scripts of a side
_QUOTED = 90  # characters of a text

Record = Mapping[str, Any]


def describe(record: Record) -> str:
    """The findings, the gravest first, then the advice."""
    parts = (
        _head(record),
        _sizes(record),
        _alignment(record),
        _signs(record),
        _duplicates(record),
        _leakage(record),
        _suspects(record),
        _advice(record),
    )
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part)))


def shares(values: Mapping[str, float]) -> str:
    """The largest shares: ``en 98.1 %, unclear 1.2 %, de 0.4 %``."""
    shown = list(values.items())[:_NAMES]
    return ", ".join(f"{name} {100 * share:.1f} %" for name, share in shown) or "none"


def flags(setting: Record) -> str:
    """Settings as they are written on the command line."""
    return " ".join(f"--set {shlex.quote(each)}" for each in setting["settings"])


def alignment_summary(alignment: Record) -> str:
    """Whether stretches were found, and how long they must be."""
    count, needed = len(alignment["stretches"]), alignment["needed"]
    found = f"{count} found" if count else "none found"
    if needed is None:
        return f"{found}; these pairs tell too little to find shifts for certain"
    return f"{found}; a shift over about {needed:,} pairs or more can be seen in this corpus"


def stretch_summary(stretch: Record) -> str:
    """Where a stretch is, and how to mend it."""
    offset = stretch["offset"]
    where = "before" if offset < 0 else "after"
    lines = "line" if abs(offset) == 1 else "lines"
    return (
        f"pairs {stretch['first']:,} to {stretch['last']:,}: the target of a pair stands "
        f"{abs(offset)} {lines} {where} it"
    )


def leak_summary(leakage: Record) -> str:
    """How much of a held-out set is in the corpus."""
    equal, alike = leakage["equal"], leakage["alike"]
    counts = ", ".join(
        f"{_count(equal[what], name)} (alike: {alike[what]:,})"
        for what, name in (("pair", "pair"), ("source", "source text"), ("target", "target text"))
    )
    return f"of its {_count(leakage['pairs'], 'pair')} the corpus has {counts}"


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}" if number == 1 else f"{number:,} {name}s"


def _head(record: Record) -> Iterator[str]:
    codes = " -> ".join(record[side]["language"] or "?" for side in ("source", "target"))
    beginning = "" if record["complete"] else " at its beginning (the rest was not looked at)"
    yield f"{record['corpus']}: {record['pairs']:,} pairs{beginning}, {codes}"


def _sizes(record: Record) -> Iterator[str]:
    for name in ("source", "target"):
        side = record[name]
        lengths = side["lengths"]
        counted = f"{side['words']:,} words, " if side["unit"] == "words" else ""
        yield (
            f"{name}: {counted}{lengths['characters']:,} characters, {side['empty']:,} empty; "
            f"half have up to {lengths['quantiles']['50']:.0f} characters, 99 % up to "
            f"{lengths['quantiles']['99']:.0f}"
        )
        yield f"  languages: {shares(side['languages'])}; scripts: {shares(side['scripts'])}"
        if side["foreign"]:
            names = ", ".join(f"{code} {count:,}" for code, count in side["foreign"].items())
            yield f"  in another language than {side['expected']}: {names}"
    ratio = record["ratio"]
    yield f"length: {ratio['median']:.2f} target characters a source character"


def _alignment(record: Record) -> Iterator[str]:
    alignment = record["alignment"]
    yield f"Shifted stretches: {alignment_summary(alignment)}"
    for stretch in alignment["stretches"][:_STRETCHES]:
        yield f"  {stretch_summary(stretch)}"
        yield f"    {_pair(record, stretch['first'])}"
    if (more := len(alignment["stretches"]) - _STRETCHES) > 0:
        yield f"  and {more} more"


def _signs(record: Record) -> Iterator[str]:
    signs = {name: sign for name, sign in record["signs"].items() if sign["pairs"]}
    yield f"Signs of trouble: {'none' if not signs else 'pairs, and the most suspicious one'}"
    for name, sign in signs.items():
        share = 100 * sign["pairs"] / record["pairs"]
        yield f"  {name}: {sign['pairs']:,} ({share:.2f} %): {sign['says']}"
        yield f"    {_pair(record, sign['examples'][0])}"


def _duplicates(record: Record) -> Iterator[str]:
    found = record["duplicates"]
    equal, alike = found["equal"]["pairs"], found["alike"]["pairs"]
    yield f"Duplicates: {equal:,} pairs repeat an earlier one, {alike - equal:,} more nearly so"
    for side, other in (("source", "target"), ("target", "source")):
        of = found[f"{side}s"]
        yield f"  {of['texts']:,} {side} texts have several {other}s ({of['pairs']:,} pairs)"


def _leakage(record: Record) -> Iterator[str]:
    for leakage in record["leakage"]:
        yield f"Held-out set {leakage['name']}: {leak_summary(leakage)}"
        for leak in leakage["examples"]:
            yield f"  {leak['what']} {leak['held_out']:,} of it: {_pair(record, leak['pair'])}"


def _suspects(record: Record) -> Iterator[str]:
    suspects = record["suspects"][:_SUSPECTS]
    if suspects:
        yield f"Most suspicious pairs ({len(suspects)} of {len(record['suspects'])})"
    for suspect in suspects:
        names = ", ".join(f"{name} {weight:.1f}" for name, weight in suspect["signs"].items())
        details = "; ".join([names, *suspect["details"]])
        yield f"  {suspect['score']:.1f}  {_pair(record, suspect['pair'])}"
        yield f"    {details}"


def _advice(record: Record) -> Iterator[str]:
    yield "Advice"
    for setting in (*record["cleaning"], *record["settings"]):
        if setting["settings"]:
            yield f"  {flags(setting)}"
        yield f"    {setting['why']} ({setting['source']})"


def _pair(record: Record, number: int) -> str:
    source, target = (
        text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"
        for text in record["texts"][str(number)]
    )
    return f"pair {number:,}: {source!r} | {target!r}"
