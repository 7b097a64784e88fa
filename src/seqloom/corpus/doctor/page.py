"""The record of an examination as one HTML page that needs nothing else.

Pictures are part of the page, nothing is fetched, no script runs, and every text of the corpus is
escaped: a page about a stranger's corpus is safe to open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from seqloom.corpus.doctor.charts import language_chart, length_chart, strip_chart
from seqloom.corpus.doctor.text import (
    alignment_summary,
    flags,
    leak_summary,
    shares,
    stretch_summary,
)
from seqloom.corpus.streams import writing_bytes

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: start; vertical-align: top; padding: .3rem .6rem;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-weight: 600; } td.number { text-align: end; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
code { background: var(--soft); padding: .1rem .3rem; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; } small { opacity: .75; }
""".strip()

Record = Mapping[str, Any]


class Markup(str):
    """HTML that is not to be escaped again."""


def write_page(record: dict[str, Any], path: Path) -> None:
    """Write the page of an examination, whole or not at all.

    Args:
        record: what :meth:`Examination.as_dict` gives, or the same read from JSON.
        path: the file to write.

    Raises:
        FolderError: the file cannot be written.
    """
    with writing_bytes(path) as file:
        file.write(page_of(record).encode("utf-8"))


def page_of(record: Record) -> str:
    """The page as HTML."""
    title = f"{record['corpus']}: {record['pairs']:,} pairs"
    parts = (
        _tag("h1", title),
        "" if record["complete"] else _tag("p", "Only the beginning of the corpus was looked at."),
        _section("Both sides", [_sides(record), length_chart(record), language_chart(record)]),
        _section("Along the corpus", [strip_chart(record), *_alignment(record)]),
        _section("Signs of trouble", [_signs(record)]),
        _section("Duplicates", [_duplicates(record)]),
        *(_leakage(record, leakage) for leakage in record["leakage"]),
        _section("The most suspicious pairs", [_suspects(record)]),
        _section("Advice", [_advice([*record["cleaning"], *record["settings"]])]),
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{_tag('title', title)}\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _tag(name: str, content: str, attributes: str = "") -> Markup:
    inner = content if isinstance(content, Markup) else escape(_visible(content))
    return Markup(f"<{name}{attributes}>{inner}</{name}>")


def _visible(text: str) -> str:
    """The text with characters that nobody sees, or that turn the line round, spelled out."""
    return "".join(c if c.isprintable() else f"[U+{ord(c):04X}]" for c in text)


def _section(title: str, parts: Iterable[str]) -> Markup:
    return Markup("\n".join((_tag("h2", title), *parts)))


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Markup:
    """A table; cells of digits are aligned to the right."""
    lines = [Markup("".join(_tag("th", cell) for cell in head))]
    lines += [Markup("".join(map(_cell, row))) for row in rows]
    return _tag("table", Markup("\n".join(_tag("tr", line) for line in lines)))


def _cell(content: str) -> Markup:
    is_number = content.replace(",", "").replace(".", "").removesuffix(" %").isdigit()
    return _tag("td", content, ' class="number"' if is_number else "")


def _pair(record: Record, number: int) -> list[str]:
    """Cells of a pair: its number and its texts, each in its own direction of writing."""
    texts = record["texts"][str(number)]
    return [f"{number:,}", *(_tag("span", text, ' dir="auto"') for text in texts)]


def _sides(record: Record) -> Markup:
    sides = [record["source"], record["target"]]
    rows = {
        "language": [side["language"] or "not named" for side in sides],
        "languages found": [shares(side["languages"]) for side in sides],
        "texts in another language": [shares_of_texts(side) for side in sides],
        "scripts": [shares(side["scripts"]) for side in sides],
        "characters": [f"{side['lengths']['characters']:,}" for side in sides],
        "words": [f"{side['words']:,}" if side["unit"] == "words" else "-" for side in sides],
        "empty": [f"{side['empty']:,}" for side in sides],
        "characters of half of the texts, at most": [_quantile(side, "50") for side in sides],
        "of 99 %": [_quantile(side, "99") for side in sides],
    }
    return _table(["", "source", "target"], ([name, *cells] for name, cells in rows.items()))


def shares_of_texts(side: Record) -> str:
    """Counts of texts by language: ``fr 12, nl 3``."""
    return ", ".join(f"{name} {count:,}" for name, count in side["foreign"].items()) or "none"


def _quantile(side: Record, percent: str) -> str:
    return f"{side['lengths']['quantiles'][percent]:.0f}"


def _alignment(record: Record) -> list[str]:
    alignment = record["alignment"]
    parts: list[str] = [_tag("p", f"Shifted stretches: {alignment_summary(alignment)}.")]
    if alignment["stretches"]:
        rows = (
            [stretch_summary(stretch), *_pair(record, stretch["first"])[1:]]
            for stretch in alignment["stretches"]
        )
        parts.append(_table(["stretch", "its first source", "beside it"], rows))
    words = ", ".join(f"{source} = {target}" for source, target in alignment["word_pairs"][:40])
    if words:
        parts.append(_tag("p", _tag("small", f"Words that this corpus taught: {words} ...")))
    return parts


def _signs(record: Record) -> Markup:
    rows = []
    for name, sign in record["signs"].items():
        share = f"{100 * sign['pairs'] / record['pairs']:.2f} %"
        first = _pair(record, sign["examples"][0]) if sign["examples"] else ["", "", ""]
        rows.append([name, sign["says"], f"{sign['pairs']:,}", share, *first])
    head = ["sign", "", "pairs", "share", "pair", "its source", "its target"]
    return _table(head, rows)


def _duplicates(record: Record) -> Markup:
    found = record["duplicates"]
    names = {
        "pairs that repeat an earlier one": found["equal"],
        "the same but for case, spaces, marks and digits": found["alike"],
        "pairs whose source has several targets": found["sources"],
        "pairs whose target has several sources": found["targets"],
    }
    rows = []
    for name, part in names.items():
        group = part["examples"][0] if part["examples"] else []
        rows.append([name, f"{part['pairs']:,}", "", "", ""])
        rows += [["", "", *_pair(record, number)] for number in group]
    return _table(["", "pairs", "pair", "source", "target"], rows)


def _leakage(record: Record, leakage: Record) -> Markup:
    rows = (
        [leak["what"], f"{leak['held_out']:,}", *_pair(record, leak["pair"])]
        for leak in leakage["examples"]
    )
    parts: list[str] = [_tag("p", f"{leak_summary(leakage)}.".capitalize())]
    if leakage["examples"]:
        parts.append(_table(["the same", "held-out pair", "pair", "source", "target"], rows))
    return _section(f"Held-out set {leakage['name']}", parts)


def _suspects(record: Record) -> Markup:
    rows = []
    for suspect in record["suspects"]:
        signs = ", ".join(f"{name} {weight:.1f}" for name, weight in suspect["signs"].items())
        reasons = "; ".join([signs, *suspect["details"]])
        rows.append([f"{suspect['score']:.1f}", *_pair(record, suspect["pair"]), reasons])
    return _table(["score", "pair", "source", "target", "signs"], rows)


def _advice(settings: Iterable[Record]) -> Markup:
    rows = (
        [_tag("code", flags(s)) if s["settings"] else "", s["why"], s["source"]] for s in settings
    )
    return _table(["settings", "why", "source"], rows)
