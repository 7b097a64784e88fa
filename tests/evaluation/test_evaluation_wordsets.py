"""Sets of words: every published form by one reader, and mistakes by file and line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.errors import CorpusError, EvaluationError
from seqloom.evaluation.wordsets import (
    Pairs,
    Questions,
    read_questions,
    read_set,
    read_sets,
    read_similarities,
)

ENGLISH = {
    "EN-MC-30": 30, "EN-MEN-TR-3k": 3000, "EN-MTurk-287": 287, "EN-MTurk-771": 771,
    "EN-RG-65": 65, "EN-RW-STANFORD": 2034, "EN-SimVerb-3500": 3500, "EN-VERB-143": 144,
    "EN-WS-353-ALL": 353, "EN-WS-353-REL": 252, "EN-WS-353-SIM": 203, "EN-YP-130": 130,
}  # fmt: skip
MULTILINGUAL = {
    f"multilingual/wordsim353-{language}{part}": pairs
    for language in ("english", "german", "russian")
    for part, pairs in (("", 350), ("-rel", 252), ("-sim", 201))
}
CHINESE = {"zh/240": 240, "zh/297": 297}

ANALOGIES = (
    ": family\nboy girl man woman\nking queen man woman\n: gram1-plural\ncar cars cat cats\n"
)
SIMILARITIES = "tiger\tcat\t7.35\nbook\tpaper\t7.46\n"


def write(folder: Path, text: str, name: str = "set.txt") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def test_questions_stand_in_their_sections(tmp_path):
    found = read_questions(write(tmp_path, ANALOGIES))
    assert found.name == "set"
    assert [section.name for section in found.sections] == ["family", "gram1-plural"]
    assert [section.syntactic for section in found.sections] == [False, True]
    assert found.sections[1].questions == (("car", "cars", "cat", "cats"),)
    assert found.asked[1] == ("king", "queen", "man", "woman")
    assert len(found.asked) == 3


def test_pairs_keep_order_words_and_grades(tmp_path):
    found = read_similarities(write(tmp_path, SIMILARITIES))
    assert found == Pairs("set", (("tiger", "cat"), ("book", "paper")), (7.35, 7.46))


@pytest.mark.parametrize(
    "text",
    [
        "tiger cat 7.35\nbook  paper  7.46",
        "tiger\tcat\t7.35\r\nbook\tpaper\t7.46\r\n",
        "\ufefftiger\tcat\t7.35\n\n\nbook\t paper\t7.46\n \n",
        "Word1\tWord2\tScore\ntiger\tcat\t7.35\nbook\tpaper\t7.46",
        "# graded by 16 people\nWord 1\tWord 2\tHuman (mean)\ntiger\tcat\t7.35\nbook\tpaper\t7.46",
        "// made by hand\ntiger cat\t7.35\nbook\tpaper 7.46\n",
    ],
)
def test_forms_of_one_set(tmp_path, text):
    expected = read_similarities(write(tmp_path, SIMILARITIES))
    assert read_set(write(tmp_path, text)) == expected


def test_columns_between_tabs_may_hold_blanks(tmp_path):
    found = read_similarities(write(tmp_path, "New York\tbig city\t5\n"))
    assert found.words == (("New York", "big city"),)


def test_the_first_line_tells_the_form(tmp_path):
    assert isinstance(read_set(write(tmp_path, f"// (c)\n\n{ANALOGIES}")), Questions)
    assert isinstance(read_set(write(tmp_path, SIMILARITIES)), Pairs)


def test_compressed_files(tmp_path):
    path = tmp_path / "small.txt.gz"
    path.write_bytes(gzip.compress(ANALOGIES.encode()))
    assert read_set(path) == read_questions(write(tmp_path, ANALOGIES), "small")


words = st.text(
    st.characters(categories=["L", "N"], include_characters="_-'"), min_size=1, max_size=8
)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(words, words, st.floats(-1e6, 1e6)), min_size=1, max_size=10),
    st.sampled_from(["\t", " ", "  \t "]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_is_read(tmp_path_factory, rows, between, end):
    text = "".join(f"{between.join([a, b, repr(grade)])}{end}" for a, b, grade in rows)
    found = read_similarities(write(tmp_path_factory.mktemp("set"), text))
    assert found.words == tuple((a, b) for a, b, _ in rows)
    assert found.grades == tuple(grade for _, _, grade in rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (": a\nx y z\n", "line 2: expected four words, .* got 'x y z'"),
        (": a\nx y z w\n\nx y z w v\n", "line 4: expected four words"),
        ("x y z w\n: a\n", r"line 1: expected two words and a number \(or ': NAME' before"),
        ("# only\n# comments\n", "no pairs"),
        (": a\n: b\n", "no questions"),
        ("a\tb\tc\n", "no pairs"),
        ("a\tb\t0.5\na\tb\n", "line 2: expected two words and a number, .* got 'a.tb'"),
        ("a\tb\t0.5\na\tb\tc\n", "line 2: expected two words and a number"),
        ("a\tb\t0,5\nc\td\t0,7\n", "line 1: expected two words and a number"),
        ("a\tb\t0.5\na\tb\tnan\n", "line 2: expected two words and a number"),
        ("a\tb\t0.5\na\t\t1\n", "line 2: expected two words and a number"),
        ("a\tb\t0.5\na\tb\t1\t2\n", "line 2: expected two words and a number"),
        (f"a\tb\t0.5\n{'long ' * 100}\n", r"line 2: .{150,230}$"),
    ],
)
def test_what_does_not_fit_is_told_by_file_and_line(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(EvaluationError, match=message) as error:
        read_set(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_question_before_the_first_section(tmp_path):
    path = write(tmp_path, "x y z w\n: a\n")
    with pytest.raises(EvaluationError, match="line 1: expected a line ': NAME' before"):
        read_questions(path)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(CorpusError, match="no such file"):
        read_sets([tmp_path / "missing.txt"])
    with pytest.raises(CorpusError, match="empty"):
        read_sets([write(tmp_path, "")])
    path = tmp_path / "latin.txt"
    path.write_bytes(b"a\tb\t1\nT\xfcr\tTor\t5\n")
    with pytest.raises(CorpusError, match=r"latin.txt, line 2: not UTF-8"):
        read_sets([path])


def test_sets_of_a_folder_have_their_path_in_it_as_name(tmp_path):
    write(tmp_path, SIMILARITIES, "b.tsv")
    write(tmp_path, ANALOGIES, "deep/er/a.txt")
    write(tmp_path, "no set", ".hidden.txt")
    write(tmp_path, "no set", "readme.md")
    found = read_sets([tmp_path])
    assert [each.name for each in found] == ["b", "deep/er/a"]


def test_files_and_folders_together_and_none_twice(tmp_path):
    one = write(tmp_path, SIMILARITIES, "one.txt")
    write(tmp_path, SIMILARITIES, "folder/two.txt")
    found = read_sets([one, tmp_path / "folder", tmp_path / "folder" / ".." / "one.txt"])
    assert [each.name for each in found] == ["one", "two"]


def test_two_sets_have_two_names(tmp_path):
    places = [write(tmp_path, SIMILARITIES, f"{folder}/one.txt") for folder in "ab"]
    found = read_sets(places)
    assert [each.name for each in found] == ["one", places[1].as_posix()]


def test_sections_of_one_name_are_joined(tmp_path):
    text = ": a\nx y z w\n: b\nk l m n\n: a\nq r s t\n"
    sections = read_questions(write(tmp_path, text)).sections
    assert [(section.name, len(section.questions)) for section in sections] == [("a", 2), ("b", 1)]


def test_a_folder_without_sets(tmp_path):
    write(tmp_path, "text", "readme.md")
    with pytest.raises(EvaluationError, match=r"no sets in this folder; expected .*\.txt"):
        read_sets([tmp_path])


def test_no_places_says_where_sets_are_published():
    with pytest.raises(EvaluationError, match="no sets to evaluate") as error:
        read_sets([])
    for place in ("tmikolov/word2vec", "eval-word-vectors", "WordSim-353", "Leonard-Xu/CWE"):
        assert place in str(error.value)


def test_every_published_set_is_read(real_data):
    found = {each.name: each for each in read_sets([real_data / "wordsim"])}
    pairs = {name: len(each.words) for name, each in found.items() if isinstance(each, Pairs)}
    assert pairs == ENGLISH | MULTILINGUAL | CHINESE
    questions = {name: each for name, each in found.items() if isinstance(each, Questions)}
    assert set(questions) == {"questions-words", "zh/analogy"}


def test_googles_sections(real_data):
    found = read_questions(real_data / "wordsim" / "questions-words.txt")
    sizes = {section.name: len(section.questions) for section in found.sections}
    assert len(found.asked) == 19_544
    assert sum(len(s.questions) for s in found.sections if s.syntactic) == 10_675
    assert sizes["capital-common-countries"] == sizes["family"] == 506
    assert found.asked[0] == ("Athens", "Greece", "Baghdad", "Iraq")


def test_lines_that_are_out_of_the_ordinary(real_data):
    chinese = read_similarities(real_data / "wordsim" / "zh" / "297.txt")
    assert ("教授", "黄瓜") in chinese.words  # with a blank after the tab
    verbs = read_similarities(real_data / "wordsim" / "EN-VERB-143.txt")
    assert (verbs.words[-1], verbs.grades[-1]) == (("employ", "using"), 0.33)
    russian = read_similarities(real_data / "wordsim/multilingual/wordsim353-russian.txt")
    assert (russian.words[0], russian.grades[0]) == (("секс", "любовь"), 7.92)
    assert {("картофель", "огурец"), ("ягуар", "запас")} <= set(russian.words)  # hard blanks
    assert (russian.words[-1], russian.grades[-1]) == (("век", "архитектура"), 4.92)
    analogy = read_questions(real_data / "wordsim" / "zh" / "analogy.txt")
    assert [section.syntactic for section in analogy.sections] == [False] * 3
    assert len(analogy.asked) == 953
