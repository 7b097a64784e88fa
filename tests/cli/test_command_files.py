from __future__ import annotations

import io
from pathlib import Path

import pytest

from seqloom.cli.files import all_lines, check_aligned, lines, one_line, results
from seqloom.cli.options import decoding_recipe, find_recipe
from seqloom.errors import CorpusError, FolderError, RecipeError
from seqloom.recipe import DecodingRecipe


class Input:
    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


def test_standard_input_is_read_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Input("\ufeffone\r\n\ntwo\u2028half\nlast".encode()))
    assert list(lines("-")) == ["one", "", "two\u2028half", "last"]


def test_a_byte_of_standard_input_that_is_not_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Input(b"fine\nM\xfcnchen\n"))
    with pytest.raises(CorpusError, match=r"standard input, line 2: not UTF-8: byte 2 .* 0xfc"):
        list(lines("-"))


def test_an_empty_file_has_no_lines_and_a_missing_one_is_a_mistake(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    assert list(lines(str(empty))) == []
    with pytest.raises(CorpusError, match=r"nowhere: no such file"):
        lines(str(tmp_path / "nowhere"))
    with pytest.raises(CorpusError, match=r"empty: the file is empty"):
        all_lines(empty)


def test_files_that_do_not_belong_together() -> None:
    files = [(Path("a.en"), ["x", "y"]), (Path("b.de"), ["x"])]
    with pytest.raises(CorpusError, match=r"^a.en has 2 lines and b.de has 1;"):
        check_aligned(files)


def test_a_text_is_one_line_of_output() -> None:
    assert one_line("a\nb\r\nc") == "a b  c"


def test_a_result_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    with pytest.raises(RuntimeError), results(path) as stream:
        stream.write("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with results(path) as stream:
        stream.write("whole: да\n")
        assert not path.exists()
    assert path.read_bytes() == "whole: да\n".encode()


def test_a_result_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match=r"cannot write"), results(tmp_path / "file" / "x"):
        pass


def test_recipes_are_found_by_path_and_by_name(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.touch()
    assert find_recipe(str(own)) == own
    assert find_recipe("reverse").name == "reverse.yaml"
    with pytest.raises(RecipeError, match=r"no recipe of that name; known: .*dates.*reverse"):
        find_recipe("revrse")


def test_flags_win_over_settings_and_settings_over_the_folder() -> None:
    base = DecodingRecipe(beam=4, alpha=0.6, no_repeat_ngram=3)
    settings = ["decoding.alpha=0.7", "decoding.no_repeat_ngram=2"]
    found = decoding_recipe(base, {"no_repeat_ngram": 5, "nbest": None}, settings)
    assert (found.beam, found.alpha, found.no_repeat_ngram, found.nbest) == (4, 0.7, 5, 1)


def test_impossible_decoding_options_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"7 hypotheses need a beam of at least 7"):
        decoding_recipe(DecodingRecipe(), {"nbest": 7})
