"""Bags of words: the formula by hand, scikit-learn under matching switches, keywords, likeness."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from seqloom.errors import CorpusError, VectorsError
from seqloom.text.bag import Bag, BagOptions, similar
from seqloom.text.collection import Collection, Place
from seqloom.text.words import WordRule

TEXTS = ["A whale! A whale, and the sea.", "The sea and the castle", "", "sea"]
SPACES = WordRule("spaces")
documents = st.lists(
    st.lists(st.sampled_from("abcdef"), max_size=8).map(" ".join), min_size=1, max_size=8
)


def table(bag: Bag, weights: Any) -> list[dict[str, float]]:
    """Of each document the words that have a weight."""
    return [dict(bag.weightiest(weights[row : row + 1], 99)[0]) for row in range(weights.shape[0])]


def refused(*arguments: Any, **options: Any) -> str:
    with pytest.raises(VectorsError) as caught:
        Bag.fit(*arguments, BagOptions(**options))
    return str(caught.value)


def test_the_formula_by_hand() -> None:
    """TF(t, d) = n_t / sum of n_k, IDF(t, D) = log(|D| / |{d : t in d}|)."""
    bag, weights = Bag.fit_transform(TEXTS)
    assert bag.words == ["a", "and", "castle", "sea", "the", "whale"]
    assert bag.documents == 4 and bag.in_documents.tolist() == [1, 2, 1, 3, 2, 1]
    assert bag.idf == pytest.approx([log(4 / n) for n in (1, 2, 1, 3, 2, 1)], abs=1e-15)
    assert table(bag, weights) == [
        pytest.approx(
            {"a": 2 / 7 * log(4), "whale": 2 / 7 * log(4), "and": 1 / 7 * log(2),
             "the": 1 / 7 * log(2), "sea": 1 / 7 * log(4 / 3)}
        ),
        pytest.approx(
            {"the": 2 / 5 * log(2), "sea": 1 / 5 * log(4 / 3), "and": 1 / 5 * log(2),
             "castle": 1 / 5 * log(4)}
        ),
        {},
        pytest.approx({"sea": log(4 / 3)}),
    ]  # fmt: skip


def test_new_texts_are_weighed_by_the_words_that_are_known() -> None:
    bag = Bag.fit(TEXTS)
    found = table(bag, bag.transform(["Whale, sea, whale and unheard-of things", "unheard"]))
    assert found[0] == pytest.approx(
        {"whale": 2 / 4 * log(4), "sea": 1 / 4 * log(4 / 3), "and": 1 / 4 * log(2)}
    )
    assert found[1] == {}
    assert bag.transform([]).shape == (0, 6)


def test_a_word_of_every_document_weighs_nothing() -> None:
    bag, weights = Bag.fit_transform(["one"])
    assert bag.words == ["one"] and bag.idf.tolist() == [0.0]
    assert weights.shape == (1, 1) and weights.nnz == 0
    assert bag.keywords("one") == []


@pytest.mark.parametrize(
    ("switches", "sea", "castle"),
    [
        ({"tf": "count", "idf": "none"}, [1, 1, 0, 1], [0, 3, 0, 0]),
        ({"tf": "log", "idf": "none"}, [1, 1, 0, 1], [0, 1 + log(3), 0, 0]),
        ({"tf": "binary", "idf": "none"}, [1, 1, 0, 1], [0, 1, 0, 0]),
        ({"tf": "share", "idf": "none"}, [1 / 2, 1 / 4, 0, 1], [0, 3 / 4, 0, 0]),
        ({"tf": "binary", "idf": "smooth"}, [1 + log(5 / 4)] * 2 + [0, 1 + log(5 / 4)],
         [0, 1 + log(5 / 2), 0, 0]),
        ({"tf": "count", "idf": "none", "norm": "l1"}, [1 / 2, 1 / 4, 0, 1], [0, 3 / 4, 0, 0]),
        ({"tf": "count", "idf": "none", "norm": "l2"}, [2**-0.5, 10**-0.5, 0, 1],
         [0, 3 * 10**-0.5, 0, 0]),
    ],
)  # fmt: skip
def test_switches_by_hand(switches: dict[str, Any], sea: list[float], castle: list[float]) -> None:
    texts = ["whale sea", "castle sea castle castle", "", "sea"]
    bag, weights = Bag.fit_transform(texts, BagOptions(**switches))
    assert bag.words == ["castle", "sea", "whale"]
    assert weights.toarray()[:, 0] == pytest.approx(castle)
    assert weights.toarray()[:, 1] == pytest.approx(sea)
    assert weights.dtype == np.float64


@settings(deadline=None)
@given(
    documents,
    documents,
    st.sampled_from(["count", "log", "binary"]),
    st.sampled_from(["smooth", "none"]),
    st.sampled_from(["none", "l1", "l2"]),
    st.sampled_from([(1, 1), (1, 2), (2, 3)]),
    st.one_of(st.integers(1, 3), st.sampled_from([0.0, 0.2, 0.5])),
    st.one_of(st.integers(2, 9), st.sampled_from([0.5, 0.8, 1.0])),
)
def test_the_matching_switches_give_what_scikit_learn_gives(
    texts: list[str], new: list[str], tf: Any, idf: Any, norm: Any,
    ngrams: tuple[int, int], least: Any, most: Any,
) -> None:  # fmt: skip
    theirs = TfidfVectorizer(
        token_pattern=r"\S+", ngram_range=ngrams, min_df=least, max_df=most,
        binary=tf == "binary", sublinear_tf=tf == "log", use_idf=idf == "smooth",
        smooth_idf=True, norm=None if norm == "none" else norm,
    )  # fmt: skip
    options = BagOptions(
        SPACES, ngrams=ngrams, min_documents=least, max_documents=most, tf=tf, idf=idf, norm=norm
    )
    try:
        expected = theirs.fit_transform(texts)
    except ValueError:
        with pytest.raises(VectorsError):
            Bag.fit(texts, options)
        return
    bag, weights = Bag.fit_transform(texts, options)
    assert bag.words == theirs.get_feature_names_out().tolist()
    assert abs(weights.toarray() - expected.toarray()).max() < 1e-12
    assert abs(bag.transform(new).toarray() - theirs.transform(new).toarray()).max() < 1e-12


def test_most_frequent_words_alone() -> None:
    texts = ["a a a a b b c", "b b d d d d", "a d d"]
    theirs = CountVectorizer(token_pattern=r"\S+", max_features=2).fit(texts)
    bag = Bag.fit(texts, BagOptions(SPACES, max_features=2))
    assert bag.words == theirs.get_feature_names_out().tolist() == ["a", "d"]
    assert Bag.fit(["b c", "c a"], BagOptions(max_features=2)).words == ["a", "c"]


def test_stop_words_go_before_ngrams_are_made() -> None:
    texts = ["The king of England", "the King of the sea"]
    bag = Bag.fit(texts, BagOptions(stop_words="en", ngrams=(2, 2)))
    assert bag.words == ["king england", "king sea"]
    assert table(bag, bag.transform(["king of England"]))[0].keys() == {"king england"}


def test_stop_words_do_not_look_at_case_and_are_saved(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("der\nDon't\n")
    options = BagOptions(WordRule(lowercase=False), stop_words=str(own), ngrams=(1, 2))
    bag = Bag.fit(["Hund Der don’t Don't Wal", "DER Hund"], options)
    assert bag.words == ["Hund", "Hund Wal", "Wal"]
    own.unlink()
    bag.save(tmp_path / "bag")
    found = Bag.load(tmp_path / "bag")
    assert found.words == bag.words and table(found, found.transform(["Hund dER Wal"])) == [
        pytest.approx({"Hund Wal": log(2) / 3, "Wal": log(2) / 3})
    ]


def test_chinese_words_and_stop_words() -> None:
    texts = ["函数的语言是专业的", "我们的语言"]
    bag = Bag.fit(texts, BagOptions(stop_words="zh"))
    assert {"函数", "语言", "专业"} <= set(bag.words)
    assert not {"的", "是"} & set(bag.words)
    assert {"的", "是"} <= set(Bag.fit(texts).words)


def test_keywords_are_the_weightiest_words() -> None:
    bag = Bag.fit(TEXTS)
    assert bag.keywords("castle castle sea whale") == [
        ("castle", pytest.approx(log(4) / 2)),
        ("whale", pytest.approx(log(4) / 4)),
        ("sea", pytest.approx(log(4 / 3) / 4)),
    ]
    assert [word for word, _ in bag.keywords("whale castle a", 2)] == ["a", "castle"]
    assert bag.keywords("") == bag.keywords("unheard of") == []


@settings(deadline=None)
@given(documents, st.lists(st.sampled_from("abcdef"), min_size=1).map(" ".join))
def test_similar_documents_by_an_independent_cosine(texts: list[str], query: str) -> None:
    try:
        bag, weights = Bag.fit_transform(texts, BagOptions(SPACES))
        found = similar(bag, weights, query, 99)
    except VectorsError:
        return
    (vector,) = bag.transform([query]).toarray()
    expected = {}
    for row, document in enumerate(weights.toarray()):
        if document @ vector:
            lengths = np.linalg.norm(document) * np.linalg.norm(vector)
            expected[row] = pytest.approx(document @ vector / lengths)
    assert dict(found) == expected
    cosines = [cosine for _, cosine in found]
    assert cosines == sorted(cosines, reverse=True) and max(cosines, default=0) <= 1
    assert similar(bag, weights, query, 1) == found[:1]


def test_a_query_without_weight_is_told() -> None:
    bag, weights = Bag.fit_transform(["sea whale", "sea castle", ""][:2])
    for query, shown in (("Unheard of", "unheard, of"), ("sea", "sea"), (" ", "no words")):
        with pytest.raises(VectorsError, match=rf"bag of 3 words: .*{shown}"):
            similar(bag, weights, query)


def test_why_a_vocabulary_is_empty() -> None:
    assert "no documents" in refused([])
    assert "hold: 2 documents without a word; --spaces" in refused(["", "..."])
    message = refused(["the of", "and"], stop_words="en")
    assert "all 3 words of 2 documents are stop words (en)" in message
    assert "2 words in 2 documents, but too few in a row" in refused(["one", "two"], ngrams=(2, 2))


def test_mistakes_of_a_program_are_not_taken_for_an_empty_vocabulary() -> None:
    def broken() -> Iterator[str]:
        yield "a text"
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        Bag.fit(broken())


def test_bounds_that_leave_nothing_tell_the_counts() -> None:
    message = refused(TEXTS, min_documents=4)
    assert "in at least 4 and at most 4 of the 4 documents" in message
    assert "6 words occur; the most widespread: sea in 3, and in 2, the in 2" in message
    assert "3 are in one document only" in message
    assert "at least 1 and at most 0.8" in refused(TEXTS, max_documents=0.2)
    assert "at least 3 and at most 2" in refused(TEXTS, min_documents=3, max_documents=2)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"ngrams": (2, 1)}, "ngrams 2 1"),
        ({"ngrams": (0, 1)}, "ngrams 0 1"),
        ({"min_documents": 0}, "min_documents 0"),
        ({"max_documents": 1.5}, "max_documents 1.5"),
        ({"max_documents": float("nan")}, "max_documents nan"),
        ({"max_features": 0}, "max_features 0"),
        ({"tf": "shares"}, "tf 'shares': expected one of share, count, log, binary"),
        ({"idf": "x"}, "idf 'x': expected one of plain, smooth, none"),
        ({"norm": "l3"}, "norm 'l3': expected one of none, l2, l1"),
        ({"stop_words": "xx"}, "stop words 'xx'"),
    ],
)
def test_options_that_do_not_exist(options: dict[str, Any], told: str) -> None:
    assert told in refused(["a text"], **options)


def test_saving_and_loading_changes_nothing(tmp_path: Path) -> None:
    options = BagOptions(
        WordRule("spaces", lowercase=False), ngrams=(1, 2), min_documents=1, max_documents=0.9,
        tf="log", idf="smooth", norm="l2", max_features=9,
    )  # fmt: skip
    bag, weights = Bag.fit_transform(TEXTS, options)
    bag.save(tmp_path / "new" / "folder")
    found = Bag.load(tmp_path / "new" / "folder")
    assert (found.options, found.words, found.documents) == (options, bag.words, 4)
    assert (found.transform(TEXTS) != weights).nnz == 0
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == [
        "bag.json", "bag.safetensors"
    ]  # fmt: skip


def files(folder: Path) -> list[Path]:
    (folder / "a.txt").write_text("The white whale\n\nthe sea\n")
    (folder / "b.txt").write_text("a castle by the sea\n")
    return [folder / "a.txt", folder / "b.txt"]


def test_a_collection_knows_where_its_documents_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqloom.text.collection._AT_ONCE", 3)
    first, second = files(tmp_path)
    told: list[tuple[str, int, int | None]] = []
    made = Collection.of_files([first, second], progress=lambda *stage: told.append(stage))
    assert [made.place(row) for row in range(len(made))] == [
        Place(str(first), 1), Place(str(first), 2), Place(str(first), 3), Place(str(second), 1)
    ]  # fmt: skip
    assert told == [("reading documents", number, None) for number in (1, 2, 3, 4)]
    assert [str(place) for place, _ in made.similar("sea")] == [f"{first}:3", f"{second}:1"]
    made.save(tmp_path / "out")
    loaded = Collection.load(tmp_path / "out")
    assert loaded.similar("white castle") == made.similar("white castle")
    assert (
        list(loaded.keywords(1))
        == list(made.keywords(1))
        == [
            (Place(str(first), 1), [("whale", pytest.approx(log(4) / 3))]),
            (Place(str(first), 2), []),
            (Place(str(first), 3), [("sea", pytest.approx(log(2) / 2))]),
            (Place(str(second), 1), [("a", pytest.approx(log(4) / 5))]),
        ]
    )


def test_a_document_may_be_a_whole_file(tmp_path: Path) -> None:
    first, second = files(tmp_path)
    made = Collection.of_files([first, second], whole_files=True)
    made.save(tmp_path / "out")
    loaded = Collection.load(tmp_path / "out")
    assert loaded.weights.shape == (2, 7)
    ((place, cosine),) = loaded.similar("castle by")
    assert place == Place(str(second), None) and str(place) == str(second)
    assert 0 < cosine < 1


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"fine\nb\xe4d\n")
    with pytest.raises(CorpusError, match=r"a.txt, line 2: not UTF-8"):
        Collection.of_files([tmp_path / "a.txt"])
    with pytest.raises(CorpusError, match="no such file"):
        Collection.of_files([tmp_path / "a.txt", tmp_path / "b.txt"])


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    Collection.of_files(files(tmp_path)).save(tmp_path / "out")
    return tmp_path / "out"


def edit(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize("name", ["bag", "documents"])
def test_damaged_folders(saved: Path, name: str) -> None:
    def damage(told: str) -> None:
        with pytest.raises(VectorsError, match=told):
            Collection.load(saved)

    described, arrays = saved / f"{name}.json", saved / f"{name}.safetensors"
    text, content = described.read_text(), arrays.read_bytes()
    arrays.write_bytes(content[:-1] + b"x")
    damage(rf"{name}.safetensors is not what {name}.json was saved with; copy the whole")
    arrays.unlink()
    damage(f"{name}.safetensors is missing")
    arrays.write_bytes(content)
    described.write_text(text[:-20])
    damage(f"{name}.json is no JSON")
    described.write_text("[]")
    damage("names no format")
    described.write_text(text)
    edit(described, format=2)
    damage("has format 2; this Seqloom reads up to 1")
    described.unlink()
    damage(rf"no {name}.json in it. .*seqloom vectors bag")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("bag", {"words": ["only", "two"]}),
        ("bag", {"words": None}),
        ("bag", {"options": {"tf": "x"}}),
        ("bag", {"options": None}),
        ("documents", {"files": [{"file": "a.txt", "documents": 9}]}),
        ("documents", {"files": [1]}),
    ],
)
def test_descriptions_that_do_not_fit(saved: Path, name: str, values: dict[str, Any]) -> None:
    edit(saved / f"{name}.json", **values)
    with pytest.raises(VectorsError, match=rf"{name}.json is damaged .*copy the whole folder"):
        Collection.load(saved)


def test_documents_of_another_bag(saved: Path) -> None:
    Bag.fit(["seven other words that fit by number"]).save(saved)
    with pytest.raises(VectorsError, match="another bag"):
        Collection.load(saved)


def test_folders_of_other_things(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    for path in (tmp_path, tmp_path / "missing", tmp_path / "config.json"):
        with pytest.raises(VectorsError, match=r"no bag.json in it. Make a bag of words"):
            Bag.load(path)
    Bag.fit(TEXTS).save(tmp_path)
    with pytest.raises(VectorsError, match=r"no documents.json in it. Its documents were not"):
        Collection.load(tmp_path)


def test_bags_do_without_torch(tmp_path: Path) -> None:
    program = (
        "import sys; from seqloom.text.bag import Bag; Bag.fit(['a text', 'b']).save(sys.argv[1]); "
        "Bag.load(sys.argv[1]).keywords('text'); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path], check=True, timeout=120)


def test_keywords_of_novels_are_their_heroes(real_data: Path) -> None:
    novels = sorted((real_data / "gutenberg").glob("*.txt"))
    made = Collection.of_files(novels, BagOptions(stop_words="en"), whole_files=True)
    found = {Path(place.file).stem: words for place, words in made.keywords(8)}
    heroes = {
        "Emma_158": {"emma", "woodhouse", "knightley"},
        "Jane-Eyre_1260": {"jane", "eyre", "rochester"},
        "Moby-Dick--Or-The-Whale_2701": {"whale", "ahab", "queequeg"},
        "Pride-and-Prejudice_1342": {"darcy", "bingley", "bennet"},
        "Don-Quixote_996": {"quixote", "sancho"},
    }
    for novel, names in heroes.items():
        assert names <= {word for word, _ in found[novel]}, found[novel]
    (best, _), *_ = made.similar("Ahab and Queequeg hunt the white whale")
    assert "Moby-Dick" in best.file


def test_chinese_documentation(real_data: Path) -> None:
    paths = [real_data / "pydocs-en-zh/train.zh"]
    made = Collection.of_files(paths, BagOptions(stop_words="zh"))
    lines = paths[0].read_text(encoding="utf-8").split("\n")
    (best, cosine), *_ = made.similar("列表的长度")
    assert best.line is not None and cosine > 0.8
    assert {"列表", "长度"} <= set(made.bag.options.rule.words(lines[best.line - 1]))
    number = next(number for number, line in enumerate(lines) if "IEEE 754 格式的平台" in line)
    found = dict(made.bag.weightiest(made.weights[number : number + 1], 5)[0])
    assert {"ieee", "754", "格式", "精度"} <= found.keys()
