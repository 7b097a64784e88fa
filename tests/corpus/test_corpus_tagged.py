"""Tagged sentences: treebanks and columns of words, what they hold, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from seqloom.corpus.tagged import TaggedSentences, check_tags, read_tagged, unknown_tags
from seqloom.errors import CorpusError

GERMAN = """\
# sent_id = 1
# text = Im Haus.
1-2\tIm\t_\t_\t_\t_\t_\t_\t_\t_
1\tin\tin\tADP\tAPPR\t_\t3\tcase\t_\t_
2\tdem\tder\tDET\tART\tCase=Dat|Number=Sing\t3\tdet\t_\t_
3\tHaus\tHaus\tNOUN\tNN\tCase=Dat\t0\troot\t_\tSpaceAfter=No
4\t.\t.\tPUNCT\t$.\t_\t3\tpunct\t_\t_

# text = I don't and 10 000 (you) too
1\tI\tI\tPRON\tPRP\t_\t2\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdo\tdo\tAUX\tVBP\t_\t0\troot\t_\t_
3\tn't\tnot\tPART\tRB\t_\t2\tadvmod\t_\t_
4\tand\tand\tCCONJ\tCC\t_\t5\tcc\t_\t_
5\t10 000\t10 000\tNUM\tCD\tNumType=Card\t2\tconj\t_\t_
5.1\tyou\tyou\tPRON\tPRP\t_\t_\t_\t_\t_
6\ttoo\ttoo\tADV\tRB\t_\t5\tadvmod\t_\t_
"""


def put(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def tags(path: Path, column: str | int | None = None) -> list[str]:
    found = read_tagged([path], column=column)
    return [" ".join(sentence.tags) for sentence in found.sentences]


@pytest.mark.parametrize("name", ["a.conllu", "a.conllu.gz"])
def test_words_and_tags_of_a_treebank(name: str, tmp_path: Path) -> None:
    found = read_tagged([put(tmp_path / name, GERMAN)])
    one, two = found.sentences
    assert one.words == ("in", "dem", "Haus", ".")
    assert one.tags == ("ADP", "DET", "NOUN", "PUNCT")
    assert one.place.endswith(f"{name}, line 3")
    assert two.words == ("I", "do", "n't", "and", "10 000", "too"), "an empty node is no word"
    assert (len(found), found.words) == (2, 10)


def test_the_text_of_a_sentence_has_spaces_where_they_were_written(tmp_path: Path) -> None:
    found = read_tagged([put(tmp_path / "a.conllu", GERMAN)])
    assert [each.text for each in found.sentences] == [
        "in dem Haus.",
        "I don't and 10 000 too",
    ]


def test_each_column_serves_as_tags(tmp_path: Path) -> None:
    path = put(tmp_path / "a.conllu", GERMAN)
    assert tags(path, "xpos")[0] == "APPR ART NN $."
    assert tags(path, "DEPREL")[0] == "case det root punct"
    assert tags(path, "feats:Case")[0] == "_ Dat Dat _"
    assert tags(path, "feats")[0] == "_ Case=Dat|Number=Sing Case=Dat _"


def test_columns_that_are_not_there(tmp_path: Path) -> None:
    path = put(tmp_path / "a.conllu", GERMAN)
    with pytest.raises(CorpusError, match=r"no column 'pos' for tags; a \.conllu file has upos"):
        read_tagged([path], column="pos")
    with pytest.raises(
        CorpusError, match="none of 10 words has the feature 'Tense'; there are: Case, "
    ):
        read_tagged([path], column="feats:Tense")
    empty = put(tmp_path / "b.conllu", GERMAN.replace("APPR", "_").split("2\tdem")[0])
    with pytest.raises(CorpusError, match=r"column xpos is empty \(_\) in all 1 words; choose"):
        read_tagged([empty], column="xpos")
    words = put(tmp_path / "a.txt", "in APPR O\n")
    with pytest.raises(CorpusError, match=r"no column 3 .*line 1 has 3 columns.*column 1 to 2"):
        read_tagged([words], column=3)
    with pytest.raises(CorpusError, match="no column 'upos' for tags"):
        read_tagged([words], column="upos")


WORD = "1\ta\ta\tX\tX\t_\t0\troot\t_\t_\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\ta\tX\n", r"x\.conllu, line 1: 3 columns in '1\\ta\\tX'; a word .* has 10"),
        (WORD + WORD, r"line 2: word 1 stands where 2 is expected; is a blank line"),
        (WORD.replace("1", "x", 1), "line 1: 'x' is no id; expected 1 for a word"),
        (WORD.replace("\ta", "\t", 1), r"line 1: the word \(column form\) is empty"),
        (WORD + WORD.replace("1", "5-6", 1), "line 2: 5-6 stands before word 2"),
        ("# nothing but a comment\n\n", r"x\.conllu: no sentence in it; expected CoNLL-U"),
    ],
)
def test_what_is_no_treebank_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=message):
        read_tagged([put(tmp_path / "x.conllu", text)])


def test_columns_of_words(tmp_path: Path) -> None:
    tabs = put(tmp_path / "a.tsv", "New York\tB-LOC\nis\tO\n\n\nhere\tO\r\n")
    found = read_tagged([tabs]).sentences
    assert [each.words for each in found] == [("New York", "is"), ("here",)]
    assert [each.tags for each in found] == [("B-LOC", "O"), ("O",)]
    assert [each.place.rpartition(", ")[2] for each in found] == ["line 1", "line 5"]
    shared = put(
        tmp_path / "eng.train",
        "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n-DOCSTART- -X- -X- O\n\n"
        "Peter NNP B-NP B-PER",
    )
    assert tags(shared) == ["B-ORG O", "B-PER"]
    assert tags(shared, 1) == tags(shared, "1") == ["NNP VBZ", "NNP"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("word\n", "x, line 1: 'word' has no tag; expected a word, a tab and its tag"),
        ("a X\n\nb\n", "x, line 3: 1 column in 'b', but the first word has 2"),
        ("a\tX\n\tX\n", r"x, line 2: the word is empty in '\\tX'"),
        ("a\tX\nb\t\n", r"x, line 2: the tag is empty in 'b\\t'"),
        ("\n\n", "x: no sentence in it; expected a word, a tab and its tag a line"),
    ],
)
def test_what_is_no_column_of_words_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=message):
        read_tagged([put(tmp_path / "x", text)])


def words(text: str, tmp_path: Path) -> TaggedSentences:
    return read_tagged([put(tmp_path / "w.txt", text)])


def test_tags_that_cannot_be_learned(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="all 2 words have the tag 'X'; a tagger needs at least"):
        check_tags(words("a X\nb X\n", tmp_path))
    said = check_tags(words("a X\nb X\nc Y\nd Z\n", tmp_path))
    assert said is not None
    assert "2 of 3 tags occur once: 'Y' (1), 'Z' (1), as in" in said
    assert "line 1: 'c'; they are hardly learned" in said
    assert check_tags(words("a X\nb X\nc Y\nd Y\n", tmp_path)) is None


def test_tags_that_training_does_not_have(tmp_path: Path) -> None:
    found = words("a X\nb Y\nc Y\n", tmp_path)
    said = unknown_tags(found, {"X"})
    assert said is not None
    assert "2 of 3 words have tags that no training word has: 'Y' (2), as in" in said
    assert "'b'; they count as wrong" in said
    assert unknown_tags(found, {"X", "Y"}) is None
    with pytest.raises(CorpusError, match=r"no training word has any of its tags.*knows 'A', 'B'"):
        unknown_tags(found, {"B", "A"})


def test_the_english_web_treebank(real_data: Path) -> None:
    path = real_data / "ud" / "UD_English-EWT" / "en_ewt-ud-dev.conllu"
    found = read_tagged([path])
    assert (len(found), found.words, len(found.counts)) == (2001, 25147, 17)
    lines = path.read_text(encoding="utf-8").splitlines()
    texts = [line.removeprefix("# text = ") for line in lines if line.startswith("# text = ")]
    differ = [
        (each.text, text) for each, text in zip(found.sentences, texts, strict=True)
        if each.text != text.strip()
    ]  # fmt: skip
    assert len(differ) < 0.01 * len(texts), differ[:5]


def test_every_treebank_can_be_read(real_data: Path) -> None:
    for path in sorted((real_data / "ud").glob("*/*.conllu")):
        if "train" not in path.name:
            assert len(read_tagged([path]).counts) > 10, path
