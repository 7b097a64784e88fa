"""Labelled texts from files of every form, what is refused, and the part that is held out."""

from __future__ import annotations

import gzip
import json
import lzma
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.corpus import Corpus
from seqloom.corpus.classes import (
    Labelled,
    check_classes,
    folds,
    gather,
    hold_out,
    unknown_labels,
)
from seqloom.corpus.labels import PLACE, read_labelled
from seqloom.errors import CorpusError

PAIRS = [("a good film", "pos"), ("dull , dull", "neg"), ("fun", "pos")]


def put(path: Path, text: str) -> Path:
    packed = {".gz": gzip.compress, ".xz": lzma.compress}.get(path.suffix, bytes)
    path.write_bytes(packed(text.encode()))
    return path


def read(*paths: object, **options: object) -> list[tuple[str, str]]:
    corpus = read_labelled([str(path) for path in paths], **options)  # type: ignore[arg-type]
    return [(pair.source, pair.target) for pair in corpus.pairs()]


def labelled(*pairs: tuple[str, str]) -> Labelled:
    places = pa.array([f"x.txt, line {line}" for line in range(1, len(pairs) + 1)])
    texts, labels = ([pair[side] for pair in pairs] for side in (0, 1))
    return Labelled(texts, labels, places, "x.txt")


@pytest.mark.parametrize("ending", ["", ".gz", ".xz"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", "a good film\tpos\ndull , dull\tneg\nfun\tpos\n"),
        ("a.tsv", "sentence\tlabel\na good film\tpos\ndull , dull\tneg\nfun\tpos\n"),
        ("a.csv", 'a good film,pos\n"dull , dull",neg\nfun,pos\n'),
        ("a.jsonl", "".join(json.dumps({"n": 1, "text": t, "label": c}) + "\n" for t, c in PAIRS)),
        ("a.txt", "__label__pos a good film\r\n__label__neg\tdull , dull\n\n__label__pos fun"),
    ],
)
def test_every_form_gives_the_same_pairs(name: str, text: str, ending: str, tmp_path: Path) -> None:
    path = put(tmp_path / f"{name}{ending}", text)
    assert [pair for pair in read(path) if pair[0]] == PAIRS


def test_the_label_first(tmp_path: Path) -> None:
    lines = put(tmp_path / "a.txt", "pos a good film\nneg dull , dull\n pos  fun\n")
    table = put(tmp_path / "a.csv", 'Label,Text\npos,a good film\nneg,"dull , dull"\npos,fun\n')
    assert read(lines, label_first=True) == PAIRS
    assert read(table, label_first=True) == PAIRS
    marked = put(tmp_path / "m.txt", "__label__pos fun\n")
    assert read(marked, label_first=True) == [("fun", "pos")], "a mark goes before that"
    with pytest.raises(
        CorpusError, match=r"a\.txt, line 1: 'pos a good film' does not .*--label-f"
    ):
        read(lines)


def test_labels_are_cut_at_a_sign(tmp_path: Path) -> None:
    lines = put(tmp_path / "q", "DESC:manner How ?\nHUM:ind Who ?\nABBR What is : ?\n")
    cut = [("How ?", "DESC"), ("Who ?", "HUM"), ("What is : ?", "ABBR")]
    assert read(lines, label_first=True, until=":") == cut
    assert read(lines, label_first=True)[0] == ("How ?", "DESC:manner")
    table = put(tmp_path / "q.tsv", "How ?\tDESC:manner\n")
    assert read(table, until=":") == cut[:1]


def test_columns_by_name_and_by_number(tmp_path: Path) -> None:
    path = put(tmp_path / "a.tsv", "id\tclass\tquestion\n7\tpos\tfun\n")
    assert read(path, columns=("question", "class")) == [("fun", "pos")]
    assert read(path, columns=(2, 1)) == [("question", "class"), ("fun", "pos")]
    with pytest.raises(CorpusError, match="no columns 'question' and 'x'; it has id, class"):
        read(path, columns=("question", "x"))


def test_numbers_as_labels(tmp_path: Path) -> None:
    objects = put(
        tmp_path / "a.jsonl", '{"sentence": "fun", "label": 1}\n{"sentence": "no", "label": 0}\n'
    )
    assert read(objects) == [("fun", "1"), ("no", "0")]
    for kind in (pa.int64(), pa.int8()):
        table = pa.table({"label": pa.array([1, 0], kind), "text": ["fun", "no"]})
        pq.write_table(table, tmp_path / "a.parquet")
        assert read(tmp_path / "a.parquet") == [("fun", "1"), ("no", "0")]
    pq.write_table(pa.table({"a": ["fun", "no"], "b": [True, False]}), tmp_path / "b.parquet")
    assert read(tmp_path / "b.parquet") == [("fun", "true"), ("no", "false")]
    assert read(tmp_path / "b.parquet", columns=(0, 1)) == [("fun", "true"), ("no", "false")]


def test_one_file_a_class(tmp_path: Path) -> None:
    good, bad = put(tmp_path / "p.txt", "a good film\nfun\n"), put(tmp_path / "n.txt.gz", "dull\n")
    assert read(f"pos={good}", f"neg={bad}") == [
        ("a good film", "pos"), ("fun", "pos"), ("dull", "neg"),
    ]  # fmt: skip
    odd = put(tmp_path / "a=b.txt", "__label__x a text\n")
    assert read(odd) == [("a text", "x")], "a file of that name goes first"


def test_a_folder_of_files_and_a_folder_of_folders(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    put(files / "pos.txt", "a good film\nfun\n")
    put(files / "neg.txt.gz", "dull\n")
    put(files / "README.md", "not a class\n")
    assert sorted(read(files)) == [("a good film", "pos"), ("dull", "neg"), ("fun", "pos")]
    for label, texts in {"neg": ["dull\nvery dull\n"], "pos": ["fun\n", ""]}.items():
        (tmp_path / "folders" / label).mkdir(parents=True)
        for number, text in enumerate(texts):
            put(tmp_path / "folders" / label / f"{number}.txt", text)
    assert read(tmp_path / "folders") == [
        ("dull\nvery dull\n", "neg"),
        ("fun\n", "pos"),
        ("", "pos"),
    ]


def test_places(tmp_path: Path) -> None:
    lines = put(tmp_path / "a.txt", "\n__label__x one\n\n__label__y two\n")
    table = put(tmp_path / "a.tsv", "three\tz\n")
    pairs = list(read_labelled([lines, table]).pairs())
    found = {pair.source: (pair.metadata or {})[PLACE] for pair in pairs if pair.source}
    assert found == {
        "one": f"{lines}, line 2", "two": f"{lines}, line 4", "three": f"{table}, row 1",
    }  # fmt: skip


def test_many_batches_and_progress(tmp_path: Path) -> None:
    path = put(tmp_path / "a.txt", "".join(f"__label__{n % 7} text {n}\n" for n in range(20_000)))
    told = []
    corpus = read_labelled([path], progress=lambda stage, done, total, note="": told.append(done))
    found = gather(corpus)
    assert found.texts == [f"text {n}" for n in range(20_000)]
    assert found.labels == [str(n % 7) for n in range(20_000)]
    assert str(found.places[19_999]) == f"{path}, line 20000"
    assert told == sorted(told) and told[-1] == 20_000


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.tsv", "good\tpos\nbad\t \n", r"a\.tsv, row 2: the text 'bad' has no label"),
        ("a.txt", "__label__x one\ntwo\n", r"a\.txt, line 2: 'two' does not begin with one label"),
        ("a.txt", "__label__x __label__y two\n", r"a\.txt, line 1: .* one label"),
        ("a.jsonl", '{"text": "a", "label": "x"}\n{"text"\n', r"a\.jsonl, line 2: not JSON"),
        ("a.jsonl", "[1]\n", r"a\.jsonl, line 1: expected a JSON object"),
        (
            "a.jsonl",
            '{"text": "a"}\n',
            r"a\.jsonl, line 1: no keys 'text' and 'label'; it has text",
        ),
        ("a.jsonl", '{"text": "a", "label": [1]}\n', r"line 1: 'label' holds \[1\], not text"),
        ("a.csv", "\n\n", r"a\.csv, line 1: 0 columns"),
        ("a.tmx", "<tmx/>", r"a\.tmx: a \.tmx file has no labels\. Expected \.tsv, \.csv"),
        ("a.parquet", "PAR1", r"a\.parquet: cannot be read as texts and labels"),
        ("a.txt", "\n \n", r"a\.txt: no text in it"),
        ("a.txt", "", r"a\.txt: the file is empty"),
    ],
)
def test_one_message(name: str, text: str, message: str, tmp_path: Path) -> None:
    path = put(tmp_path / name, text)
    with pytest.raises(CorpusError, match=message):
        gather(read_labelled([path]))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nowhere.txt", "nowhere.txt: no such file"),
        ("x=nowhere.txt", "nowhere.txt: no such file"),
        ("=a.tsv", "no label before the ="),
        ("x=a.tsv", r"x=a\.tsv: a \.tsv file has labels of its own; give it alone, without x="),
        ("x=blank.txt", r"blank\.txt: the class 'x' is empty"),
        ("nothing", "nothing: holds neither folders nor .txt files"),
        ("bare", r"bare/x: the class 'x' is empty"),
    ],
)
def test_arguments_that_are_refused(
    given: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "a.tsv", "one\tx\n")
    put(tmp_path / "blank.txt", "\n\n")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "bare" / "x").mkdir(parents=True)
    with pytest.raises(CorpusError, match=message):
        gather(read_labelled([given]))


def test_blank_texts_are_counted_and_left_out() -> None:
    places = [{PLACE: f"line {n}"} for n in range(4)]
    rows = [("a", "x"), (" ", "x"), ("", ""), ("b", "y")]
    pairs = [(*row, place) for row, place in zip(rows, places, strict=True)]
    from seqloom.corpus import Pair

    found = gather(Corpus.of([Pair(*pair) for pair in pairs]))
    assert (found.texts, found.labels, found.empty) == (["a", "b"], ["x", "y"], 2)
    assert found.places.to_pylist() == ["line 0", "line 3"]


def test_counts_and_choice() -> None:
    found = labelled(("a", "x"), ("b", "y"), ("c", "y"), ("d", "w"))
    assert list(found.counts.items()) == [("y", 2), ("w", 1), ("x", 1)]
    chosen = found.choose([2, 0], "part")
    assert (chosen.texts, chosen.labels, chosen.name) == (["c", "a"], ["y", "x"], "part")
    assert chosen.places.to_pylist() == ["x.txt, line 3", "x.txt, line 1"]


def test_labels_that_cannot_be_learnt() -> None:
    with pytest.raises(CorpusError, match=r"all 2 texts have the label 'x'; .* at least two"):
        check_classes(labelled(("a", "x"), ("b", "x")))
    scores = [(f"text {n}", f"0.{n}") for n in range(10, 30)]
    with pytest.raises(
        CorpusError, match=r"20 of 20 texts have a label of their own, as in x.txt, line 1: .*--col"
    ):
        check_classes(labelled(*scores))
    half = [("a", "x"), ("b", "x"), ("c", "y"), ("d", "z")]
    check_classes(labelled(*half))


def test_a_label_with_one_text_cannot_be_held_out() -> None:
    many = [(f"text {n}", "x") for n in range(9)]
    message = r"x\.txt, line 10: 'rare one' has the label 'y', which occurs once only"
    with pytest.raises(CorpusError, match=message):
        hold_out(labelled(*many, ("rare one", "y")), 0.1, 1)
    with pytest.raises(CorpusError, match="occurs with one text only"):
        hold_out(labelled(*many, ("same", "y"), ("same", "y")), 0.1, 1)
    with pytest.raises(CorpusError, match="If that is a header, name the columns"):
        hold_out(labelled(("sentence", "label"), *many), 0.1, 1)


@settings(deadline=None)
@given(
    labels=st.lists(st.sampled_from("abc"), min_size=1, max_size=60),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 5),
)
def test_held_out_texts(labels: list[str], share: float, seed: int) -> None:
    pairs = [(f"text {n // 2 * 2}", label) for n, label in enumerate(labels)]
    found = labelled(*pairs, *((f"{label}{n}", label) for label in "abc" for n in (1, 2)))
    kept, held = hold_out(found, share, seed)
    assert sorted(kept.texts + held.texts) == sorted(found.texts)
    together = set(zip(kept.texts, kept.labels, strict=True))
    assert not together & set(zip(held.texts, held.labels, strict=True))
    for label in "abc":
        distinct = {text for text, of in zip(found.texts, found.labels, strict=True) if of == label}
        out = {text for text, of in zip(held.texts, held.labels, strict=True) if of == label}
        assert 1 <= len(out) < len(distinct)
        assert abs(len(out) - share * len(distinct)) <= 1
    again = hold_out(found, share, seed)
    assert again[1].texts == held.texts and again[0].texts == kept.texts


def test_other_seeds_hold_out_other_texts() -> None:
    found = labelled(*((f"text {n}", "xy"[n % 2]) for n in range(200)))
    first, second = (set(hold_out(found, 0.1, seed)[1].texts) for seed in (1, 2))
    assert first != second


@settings(deadline=None)
@given(labels=st.lists(st.sampled_from("abc"), min_size=1, max_size=40), number=st.integers(2, 6))
def test_folds_have_equal_parts_of_each_label(labels: list[str], number: int) -> None:
    fold = folds(labels, number, 1).tolist()
    assert max(Counter(fold).values()) - len(labels) // number <= 1
    for label in set(labels):
        parts = Counter(f for f, of in zip(fold, labels, strict=True) if of == label)
        sizes = [parts.get(n, 0) for n in range(number)]
        assert max(sizes) - min(sizes) <= 1
    assert folds(labels, number, 1).tolist() == fold


def test_unknown_labels() -> None:
    found = labelled(("a", "x"), ("b", "new"), ("c", "new"), ("d", "odd"))
    assert unknown_labels(found, {"x", "new", "odd", "other"}) is None
    note = unknown_labels(found, {"x"})
    assert note is not None
    assert note.startswith(
        "x.txt: 3 of 4 texts have labels that no training text has: 'new' (2), 'odd' (1)"
    )
    assert "x.txt, line 2: 'b'" in note
    with pytest.raises(CorpusError, match=r"no training text has any of its labels: 'new' \(2\)"):
        unknown_labels(found, {"1", "0"})


def test_real_questions(real_data: Path) -> None:
    path = real_data / "trec" / "train.txt"
    coarse = gather(read_labelled([path], label_first=True, until=":"))
    assert len(coarse) == 5452 and coarse.empty == 0
    assert coarse.counts == {
        "ENTY": 1250, "HUM": 1223, "DESC": 1162, "NUM": 896, "LOC": 835, "ABBR": 86,
    }  # fmt: skip
    fine = gather(read_labelled([path], label_first=True))
    assert len(fine.counts) == 50 and fine.texts == coarse.texts
