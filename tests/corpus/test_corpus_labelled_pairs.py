"""Pairs of texts with a label, from tables of every form, and what sentence vectors learn from."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seqloom.corpus.classes import Labelled, gather, hold_out, single_labels
from seqloom.corpus.labelled_pairs import PairColumns, read_labelled_pairs, read_sentences
from seqloom.errors import CorpusError

ROWS = [("A man eats.", "He eats.", "yes"), ("A dog, asleep.", "It runs.", "no")]


def put(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path, columns: PairColumns | None = None) -> Labelled:
    return gather(read_labelled_pairs([path], columns=columns))


def rows(found: Labelled) -> list[tuple[str, str, str]]:
    assert found.seconds is not None
    return list(zip(found.texts, found.seconds, found.labels, strict=True))


@pytest.mark.parametrize(
    "header", [("text_a", "text_b", "label"), ("Premise", "Hypothesis", "label"), None]
)
@pytest.mark.parametrize("kind", ["tsv", "csv", "jsonl", "parquet"])
def test_every_form_gives_the_same_pairs(
    kind: str, header: tuple[str, str, str] | None, tmp_path: Path
) -> None:
    path = tmp_path / f"a.{kind}"
    names = header or ("text_a", "text_b", "label")
    if kind == "jsonl":
        put(path, "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in ROWS))
    elif kind == "parquet":
        columns = zip(*ROWS, strict=True)
        pq.write_table(pa.table(dict(zip(names, map(list, columns), strict=True))), path)
    else:
        sign = "\t" if kind == "tsv" else ","
        quote = '"{}"' if kind == "csv" else "{}"
        lines = [sign.join(map(quote.format, row)) for row in ([header] if header else []) + ROWS]
        put(path, "\n".join(lines) + "\n")
    found = read(path)
    assert rows(found) == ROWS
    assert str(found.places[1]).endswith("2")


def test_columns_are_chosen_by_name_or_number(tmp_path: Path) -> None:
    path = put(tmp_path / "a.tsv", "id\tclass\tone\ttwo\n7\tyes\tfun\tjoy\n")
    assert rows(read(path, ("one", "two", "class"))) == [("fun", "joy", "yes")]
    assert rows(read(path, (2, 3, 1)))[1:] == [("fun", "joy", "yes")]
    with pytest.raises(CorpusError, match="no columns 'three' and 'class'; it has id, class"):
        read(path, ("one", "three", "class"))


def test_tables_without_such_columns_are_refused(tmp_path: Path) -> None:
    two = put(tmp_path / "a.tsv", "fun\tyes\n")
    with pytest.raises(CorpusError, match="no columns text_a, text_b and label; it has fun, yes"):
        read(two)
    objects = put(tmp_path / "a.jsonl", '{"one": "x", "two": "y", "label": 1}\n')
    with pytest.raises(CorpusError, match="no columns text_a, text_b and label; it has one, two"):
        read(objects)
    with pytest.raises(CorpusError, match=r"a\.txt: no table; pairs with labels stand in \.tsv"):
        read(put(tmp_path / "a.txt", "x\n"))
    with pytest.raises(CorpusError, match="the text 'x' has no label"):
        read(put(tmp_path / "b.tsv", "x\ty\t\n"))


def test_a_blank_side_leaves_the_pair_out_and_is_counted(tmp_path: Path) -> None:
    found = read(put(tmp_path / "a.tsv", "a\tb\tx\n\tb\tx\na\t \ty\nc\td\ty\n"))
    assert rows(found) == [("a", "b", "x"), ("c", "d", "y")]
    assert found.empty == 2


def test_equal_pairs_stay_together_when_some_are_held_out(tmp_path: Path) -> None:
    lines = [f"a\tb{n % 5}\t{label}" for n in range(20) for label in "xy"]
    kept, held = hold_out(read(put(tmp_path / "a.tsv", "\n".join(lines) + "\n")), 0.2, seed=1)
    assert len(held) == 8
    assert not set(rows(kept)) & set(rows(held)), "one text of a pair may be in both"
    assert len(kept) + len(held) == 40


def test_labels_that_occur_once_are_named(tmp_path: Path) -> None:
    found = read(put(tmp_path / "a.tsv", "a\tb\tx\nc\td\tx\ne\tf\ty\n"))
    said = single_labels(found)
    assert said is not None
    assert "1 of 2 labels occur once: 'y' (1), as in" in said
    assert single_labels(found.choose([0, 1], "two")) is None


def test_single_sentences_are_paired_with_themselves(tmp_path: Path) -> None:
    lines = put(tmp_path / "a.txt", "one\ntwo\n")
    pairs = put(tmp_path / "a.tsv", "one\teins\n")
    found = [pair[:2] for pair in read_sentences([lines, pairs]).pairs()]
    assert found == [("one", "one"), ("two", "two"), ("one", "eins")]
    with pytest.raises(CorpusError, match="no such file"):
        read_sentences([tmp_path / "b.txt"])
