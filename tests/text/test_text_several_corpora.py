"""Several corpora in one preparation: tags, marks, directions, shares; interrupted, it goes on."""

from __future__ import annotations

import json

import pytest

from seqloom.corpus import Corpus
from seqloom.corpus import parts as parts_module
from seqloom.corpus.groups import groups_of
from seqloom.errors import CorpusError, FolderError, RecipeError
from seqloom.recipe import CorpusRecipe, DataRecipe
from seqloom.text import preparation
from seqloom.text.prepare import prepare
from seqloom.text.tokenizer import Tokenizer


def write(path, count, source="one", target="eins"):
    lines = (
        f"{source} {n} {source * (n % 3)}\t{target} {n} {target * (n % 3)}\n" for n in range(count)
    )
    path.write_text("".join(lines))
    return str(path)


@pytest.fixture
def recipe(tmp_path):
    german = write(tmp_path / "de.tsv", 300)
    russian = write(tmp_path / "ru.tsv", 100, "two", "два")
    back = write(tmp_path / "back.tsv", 200, "three", "drei")
    return DataRecipe(
        corpora=(
            CorpusRecipe(
                source=german, source_language="en", target_language="de", both_directions=True
            ),
            CorpusRecipe(source=russian, source_language="en", target_language="ru"),
            CorpusRecipe(
                source=back, source_language="en", target_language="de", mark="bt", share=0.25
            ),
        ),
        tag=True,
        tokenizer="word",
        validation_share=0.1,
    )


def test_tags_marks_directions_and_shares(recipe, tmp_path):
    prepared = prepare(recipe, tmp_path / "out")
    assert prepared.tokenizers.source.tags == ("<2de>", "<2en>", "<2ru>", "<bt>")
    groups = groups_of(prepared.train)
    assert [group.share for group in groups] == [None, None, None, 0.25]
    assert len(groups[0]) == len(groups[1])
    decode = prepared.tokenizers.source.pieces
    fronts = [decode(prepared.train.pair(group.start)[0])[:2] for group in groups]
    assert [front[0] for front in fronts] == ["<2de>", "<2en>", "<2ru>", "<bt>"]
    assert fronts[3][1] == "<2de>"
    first, exchanged = (prepared.train.pair(group.start) for group in groups[:2])
    assert first[0][1:].tolist() == exchanged[1].tolist()
    assert first[1].tolist() == exchanged[0][1:].tolist()
    held_out = {pair.source for pair in prepared.validation_pairs}
    assert held_out and not any(text.startswith("three") for text in held_out)
    cleaning = prepared.report["cleaning"]
    assert list(cleaning) == ["de.tsv: train", "ru.tsv: train", "back.tsv: train"]


def test_held_out_pairs_are_held_out_of_both_directions(recipe, tmp_path):
    prepared = prepare(recipe, tmp_path / "out")
    train = prepared.tokenizers.target.decode_batch(
        [prepared.train.pair(row)[1] for row in range(len(prepared.train))]
    )
    held_out = {text for pair in prepared.validation_pairs for text in (pair.source, pair.target)}
    assert not held_out & set(train)


def test_the_number_of_processes_does_not_matter(recipe, tmp_path):
    one, two = (prepare(recipe, tmp_path / str(n), workers=n) for n in (1, 2))
    for name in ("train.arrow", "validation.arrow", "tokenizer.json", "report.json"):
        assert (one.folder / name).read_bytes() == (two.folder / name).read_bytes()


def test_languages_and_tags_must_be_known(recipe, tmp_path):
    untagged = recipe.model_copy(update={"tag": False})
    with pytest.raises(RecipeError, match=r"data\.tag: .*several target languages \(de, en, ru\)"):
        prepare(untagged, tmp_path / "out")
    unknown = recipe.corpora[1].model_copy(update={"target_language": None})
    without = recipe.model_copy(update={"corpora": (recipe.corpora[0], unknown)})
    with pytest.raises(RecipeError, match=r"data\.corpora\[1\]\.target_language: needed"):
        prepare(without, tmp_path / "out")


def test_shares_leave_room_and_one_way_is_chosen(recipe):
    marked = recipe.corpora[2].model_copy(update={"share": 0.99})
    with pytest.raises(ValueError, match=r"shares add up to 1\.24"):
        DataRecipe(corpora=(*recipe.corpora, marked), tag=True)
    with pytest.raises(ValueError, match=r"data\.corpora and data\.source both name"):
        DataRecipe(corpora=recipe.corpora, source="x.tsv")


def read_all(folder):
    names = ("train.arrow", "validation.arrow", "train.parquet", "tokenizer.json", "report.json")
    return {name: (folder / name).read_bytes() for name in names}


@pytest.mark.parametrize("stage", ["_clean_pairs", "_write", "_learn", "_encode_one", "_encode"])
def test_interrupted_at_any_stage_it_goes_on(recipe, tmp_path, monkeypatch, stage):
    whole = read_all(prepare(recipe, tmp_path / "whole").folder)
    plain = getattr(preparation.Preparation, stage)
    calls = []

    def stopping(self, *given):
        found = plain(self, *given)
        calls.append(stage)
        if len(calls) in (1, 3):
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(preparation.Preparation, stage, stopping)
    stops = 0
    while stops < 5:
        try:
            found = prepare(recipe, tmp_path / "out")
            break
        except KeyboardInterrupt:
            stops += 1
            assert not (tmp_path / "out").exists()
    assert stops >= 1
    assert read_all(found.folder) == whole
    assert not (found.folder / "work").exists() and not (found.folder / "begun.json").exists()


def test_half_of_the_tokenizers_is_not_taken_for_both(recipe, tmp_path, monkeypatch):
    recipe = recipe.model_copy(update={"joint": False})
    whole = read_all(prepare(recipe, tmp_path / "whole").folder)
    plain = Tokenizer.save

    def stopping(self, path):
        plain(self, path)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Tokenizer, "save", stopping)
        prepare(recipe, tmp_path / "out")
    assert read_all(prepare(recipe, tmp_path / "out").folder) == whole
    assert (tmp_path / "out" / "tokenizer.target.json").exists()


def test_finished_work_is_not_done_again(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(parts_module, "PART_BATCHES", 1)
    encoded = []
    plain = preparation.EncodeBatch.__call__

    def stopping(self, batch):
        encoded.append(batch.num_rows)
        if len(encoded) == 3:
            raise KeyboardInterrupt
        return plain(self, batch)

    monkeypatch.setattr(preparation.EncodeBatch, "__call__", stopping)
    with pytest.raises(KeyboardInterrupt):
        prepare(recipe, tmp_path / "out")
    monkeypatch.setattr(
        preparation.Preparation, "_learn", lambda *given: pytest.fail("learned again")
    )
    prepare(recipe, tmp_path / "out")
    # Four training parts, of which the third was begun twice, and three of validation.
    assert len(encoded) == 4 + 1 + 3


def test_other_files_begin_afresh_and_errors_leave_nothing(recipe, tmp_path, monkeypatch):
    def stop(self, *given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(preparation.Preparation, "_learn", stop)
        prepare(recipe, tmp_path / "out")
    assert json.loads((tmp_path / ".out.part" / "begun.json").read_text())["recipe"]
    write(tmp_path / "ru.tsv", 120, "two", "два")
    assert prepare(recipe, tmp_path / "out").report["cleaning"]["ru.tsv: train"]["read"] == 120
    (tmp_path / "ru.tsv").write_text("a\tb\nbroken\n")
    with pytest.raises(CorpusError, match=r"ru\.tsv, line 2"):
        prepare(recipe, tmp_path / "again")
    assert not list(tmp_path.glob("*again*"))


def test_a_broken_file_up_to_its_error_if_asked(tmp_path):
    path = write(tmp_path / "x.tsv", 200)
    with (tmp_path / "x.tsv").open("a") as file:
        file.write("broken\n")
    told = []
    recipe = DataRecipe(source=path, until_error=True, tokenizer="word", validation_share=0.1)
    prepared = prepare(recipe, tmp_path / "out", warn=told.append)
    assert prepared.report["cleaning"]["train"]["read"] == 200
    assert len(told) == 1 and "x.tsv, line 201: 1 column" in told[0]


def test_nothing_of_a_test_set_is_trained_on(tmp_path):
    path = write(tmp_path / "x.tsv", 300)
    lines = (tmp_path / "x.tsv").read_text().splitlines()
    chosen = [lines[7].split("\t"), ["unknown", lines[9].split("\t")[1]]]
    (tmp_path / "test.tsv").write_text("".join("\t".join(pair) + "\n" for pair in chosen))
    recipe = DataRecipe(source=path, tokenizer="word", validation_share=0.1)
    recipe = recipe.model_copy(update={"test_source": str(tmp_path / "test.tsv")})
    prepared = prepare(recipe, tmp_path / "out")
    dropped = prepared.report["cleaning"]["train"]["dropped"]["test"]
    assert dropped["count"] == 2
    assert dropped["reason"] == "the source or target text is also in test.tsv"
    assert prepare(recipe, tmp_path / "out").folder == prepared.folder
    (tmp_path / "test.tsv").write_text("other\tother\n")
    with pytest.raises(FolderError, match="with other test"):
        prepare(recipe, tmp_path / "out")


def test_pairs_in_memory_are_not_taken_up_again(tmp_path, monkeypatch):
    corpus = Corpus.of([(f"a {n}", f"b {n}") for n in range(200)])
    recipe = DataRecipe(tokenizer="word", validation_share=0.1)

    def stop(self, *given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(preparation.Preparation, "_learn", stop)
        prepare(recipe, tmp_path / "out", corpus=corpus)
    other = Corpus.of([(f"c {n}", f"d {n}") for n in range(200)])
    found = prepare(recipe, tmp_path / "out", corpus=other)
    assert found.validation_pairs[0].source.startswith("c")
