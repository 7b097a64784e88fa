"""Word alignments: what a line of links says, and what is wrong with one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seqloom.corpus.alignments import (
    diagonal,
    format_links,
    parse_links,
    read_aligned,
    tell_outside,
    transposed,
)
from seqloom.errors import CorpusError


def write(folder: Path, **files: str) -> list[Path]:
    paths = []
    for name, text in files.items():
        paths.append(folder / name)
        paths[-1].write_text(text, encoding="utf-8")
    return paths


def test_sure_and_possible_links() -> None:
    found = parse_links("1-1 2?3 3p1 1-2", 1, "gold, line 1")
    assert found.sure == {(0, 0), (0, 1)}
    assert found.possible == {(0, 0), (0, 1), (1, 2), (2, 0)}
    assert parse_links("", 0, "gold, line 1").possible == frozenset()


@pytest.mark.parametrize("item", ["1", "1-", "1--2", "a-b", "1_2", "-1-2", "1-2-3"])
def test_what_is_no_link(item: str) -> None:
    with pytest.raises(CorpusError, match=f"gold, line 7: '{item}' is no link; expected"):
        parse_links(f"0-0 {item}", 0, "gold, line 7")


def test_a_word_before_the_first() -> None:
    with pytest.raises(
        CorpusError, match=r"'0-3' names word 0, and words are counted from 1; .*--first-index 0"
    ):
        parse_links("1-1 0-3", 1, "gold, line 1")


def test_links_are_written_in_order_and_read_again() -> None:
    links = {(10, 0), (2, 1), (2, 0)}
    line = format_links(links)
    assert line == "2-0 2-1 10-0"
    assert parse_links(line, 0, "x").sure == links
    assert transposed(links) == {(0, 10), (1, 2), (0, 2)}


def test_pairs_with_gold(tmp_path: Path) -> None:
    paths = write(tmp_path, s="a b\nc\n", t="x y z\nw\n", g="1-1 2?3\n\n")
    found = read_aligned(*paths, first=1)
    assert len(found) == 2
    assert (found.sources, found.targets) == ([["a", "b"], ["c"]], [["x", "y", "z"], ["w"]])
    assert found.gold[0].possible == {(0, 0), (1, 2)}
    assert found.gold[1].sure == frozenset()
    assert tell_outside(found) is None


def test_links_to_words_that_do_not_exist_are_counted_and_left_out(tmp_path: Path) -> None:
    paths = write(tmp_path, s="a b\nc d\n", t="x y z\nw\n", g="0-0 2-0 1?3\n0-0 1-0\n")
    found = read_aligned(*paths)
    assert [set(each.possible) for each in found.gold] == [{(0, 0)}, {(0, 0), (1, 0)}]
    assert tell_outside(found) == (
        f"{paths[2]}: 2 of 5 links name words that do not exist and are left out, the first in "
        "line 1: 1-3, in 2 and 3 words"
    )


def test_gold_counted_from_1_and_read_from_0(tmp_path: Path) -> None:
    paths = write(tmp_path, s="a b\nc d\n", t="x y z\nw\n", g="1-1 2-3\n1-1\n")
    assert (tell_outside(read_aligned(*paths)) or "").endswith(
        "line 1: 2-3, in 2 and 3 words; the file seems to count words from 1: say --first-index 1"
    )
    assert tell_outside(read_aligned(*paths, first=1)) is None
    paths[2].write_text("1-1 2-3\n0-0\n")  # 0 is a word, and then 2-3 is a mistake
    assert "--first-index" not in (tell_outside(read_aligned(*paths)) or "")


def test_pairs_without_gold(tmp_path: Path) -> None:
    found = read_aligned(*write(tmp_path, s="a b\nc\n", t="x\ny\n"))
    assert (len(found), found.judged, found.gold) == (2, False, [])
    assert found.name.endswith("t")


def test_files_of_different_length(tmp_path: Path) -> None:
    paths = write(tmp_path, s="a\nb\n", t="x\n", g="0-0\n")
    with pytest.raises(CorpusError, match=r"as many lines in each file, found .*s: 2, .*t: 1, "):
        read_aligned(*paths)
    with pytest.raises(CorpusError, match="the file is empty"):
        read_aligned(*write(tmp_path, s="", t="", g=""))
    with pytest.raises(CorpusError, match="nowhere"):
        read_aligned(tmp_path / "nowhere", *paths[1:])


def test_the_diagonal() -> None:
    assert diagonal(3, 3) == {(0, 0), (1, 1), (2, 2)}
    assert diagonal(6, 2) == {(1, 0), (4, 1)}
    assert diagonal(2, 4) == {(0, 0), (0, 1), (1, 2), (1, 3)}
    assert diagonal(0, 2) == diagonal(3, 0) == frozenset()


def test_real_gold() -> None:
    if "SEQLOOM_DATA" not in os.environ:
        pytest.skip("SEQLOOM_DATA is unset")
    folder = Path(os.environ["SEQLOOM_DATA"]) / "align"
    sides = {"enfr": ("en", "fr", 1), "zhen": ("zh", "en", 1), "xlwa-enru.dev": ("en", "ru", 0)}
    numbers = {}
    for name, (source, target, first) in sides.items():
        paths = (folder / f"{name}.{suffix}" for suffix in (source, target, "gold"))
        found = read_aligned(*paths, first=first)
        numbers[name] = len(found), len(found.outside)
        assert sum(len(each.sure) for each in found.gold) > 300
    assert numbers == {"enfr": (47, 0), "zhen": (50, 0), "xlwa-enru.dev": (90, 0)}
