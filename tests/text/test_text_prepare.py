"""From pairs to a prepared folder: what is in it, what is dropped, when it is made anew."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from seqloom.corpus.pairs import Corpus
from seqloom.errors import CorpusError, FolderError, RecipeError, TokenizerError
from seqloom.recipe import DataRecipe
from seqloom.text.prepare import load_prepared, prepare, vocabulary_size

RECIPE = DataRecipe(validation_share=0.1, source_language="en", target_language="de")


@pytest.fixture(scope="module")
def pairs(sentences) -> list[tuple[str, str]]:
    return [(line, line.swapcase()) for line in dict.fromkeys(sentences)]


@pytest.fixture
def corpus(pairs) -> Corpus:
    return Corpus.of(pairs, "toy")


def test_everything_is_in_the_folder(corpus, pairs, tmp_path):
    prepared = prepare(RECIPE, tmp_path / "out", corpus=corpus)
    names = {path.name for path in prepared.folder.iterdir()}
    assert names == {
        "train.parquet", "validation.parquet", "train.arrow", "validation.arrow",
        "tokenizer.json", "report.json", "recipe.json",
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert len(prepared.train) + len(prepared.validation) == len(pairs)
    assert 0 < len(prepared.validation) < len(pairs) / 2
    assert len(prepared.validation_pairs) == len(prepared.validation)


def test_rows_of_the_store_decode_to_the_pairs(corpus, pairs, tmp_path):
    prepared = prepare(RECIPE, tmp_path / "out", corpus=corpus)
    source, target = prepared.tokenizers.source, prepared.tokenizers.target
    for row, pair in enumerate(prepared.validation_pairs):
        ids = prepared.validation.pair(row)
        assert (source.decode(ids[0]), target.decode(ids[1])) == (pair.source, pair.target)
    train = {source.decode(prepared.train.pair(row)[0]) for row in range(len(prepared.train))}
    held_out = {pair.source for pair in prepared.validation_pairs}
    assert train | held_out == {pair[0] for pair in pairs}
    assert not train & held_out


def test_filters_are_counted_in_the_report(pairs, tmp_path):
    dirty = [
        *pairs,
        ("", "empty"),
        ("a", "much too long " * 3),
        pairs[0],
        ("x " * 30, "y " * 30),
        ("x" * 2000, "y" * 2000),
    ]
    recipe = RECIPE.model_copy(update={"max_length": 20})
    held_out = Corpus.of([pairs[1], ("held out", "weg"), ("", "x")], "held-out pairs")
    prepared = prepare(
        recipe, tmp_path / "out", corpus=Corpus.of(dirty, "toy"), validation=held_out
    )
    dropped = prepared.report["cleaning"]["train"]["dropped"]
    counts = {name: entry["count"] for name, entry in dropped.items()}
    assert counts == {"empty": 1, "length": 1, "ratio": 1, "duplicate": 1, "overlap": 1}
    assert dropped["overlap"]["reason"] == "the source text is also in held-out pairs"
    assert prepared.report["train"]["too_long"]["count"] >= 1
    examples = prepared.report["train"]["too_long"]["examples"]
    assert all(example["score"] > 20 for example in examples)
    kept = prepared.report["train"]["pairs"]
    assert kept == len(prepared.train)
    assert kept + prepared.report["train"]["too_long"]["count"] == len(pairs) - 1 + 1
    assert prepared.report["cleaning"]["validation"]["dropped"]["empty"]["count"] == 1
    assert [pair.source for pair in prepared.validation_pairs] == [pairs[1][0], "held out"]
    lengths = prepared.train.lengths(0, kept)
    assert max(lengths[0].max(), lengths[1].max()) <= 20
    assert prepared.report["train"]["source_tokens"] == lengths[0].sum()


def test_duplicates_stay_on_request(pairs, tmp_path):
    doubled = Corpus.of([*pairs, *pairs], "toy")
    recipe = RECIPE.model_copy(update={"deduplicate": False})
    prepared = prepare(recipe, tmp_path / "out", corpus=doubled)
    assert len(prepared.train) + len(prepared.validation) == 2 * len(pairs)


def test_separate_vocabularies_with_a_tag(corpus, tmp_path):
    recipe = RECIPE.model_copy(update={"joint": False, "tag": True})
    prepared = prepare(recipe, tmp_path / "out", corpus=corpus)
    source, target = prepared.tokenizers.source, prepared.tokenizers.target
    assert not prepared.tokenizers.joint
    assert (source.tags, target.tags) == (("<2de>",), ())
    assert (prepared.folder / "tokenizer.target.json").exists()
    firsts = {int(prepared.train.pair(row)[0][0]) for row in range(len(prepared.train))}
    assert firsts == {4}
    assert source.decode(prepared.validation.pair(0)[0]) == prepared.validation_pairs[0].source


@pytest.mark.parametrize("kind", ["bpe", "byte_bpe", "unigram", "word", "character"])
def test_every_kind_of_tokenizer(corpus, tmp_path, kind):
    recipe = RECIPE.model_copy(update={"tokenizer": kind})
    prepared = prepare(recipe, tmp_path / "out", corpus=corpus)
    assert prepared.report["vocabulary"]["kind"] == kind
    assert prepared.tokenizers.source.kind == kind


def test_files_are_read_with_their_languages(pairs, tmp_path):
    for index, suffix in enumerate(("en", "de")):
        lines = "".join(f"{pair[index]}\n" for pair in pairs)
        (tmp_path / f"train.{suffix}").write_text(lines, encoding="utf-8")
    recipe = DataRecipe(
        source=str(tmp_path / "train.en"),
        target=str(tmp_path / "train.de"),
        validation_share=0.1,
        tag=True,
    )
    prepared = prepare(recipe, tmp_path / "out")
    assert prepared.tokenizers.source.tags == ("<2de>",)
    made = json.loads((prepared.folder / "recipe.json").read_text(encoding="utf-8"))
    assert made["recipe"]["source_language"] == "en"
    # A file that was touched or moved, but holds the same, is the same.
    (tmp_path / "train.en").touch()
    moved = (tmp_path / "train.de").rename(tmp_path / "other.de")
    again = prepare(recipe.model_copy(update={"target": str(moved)}), tmp_path / "out")
    assert len(again.train) == len(prepared.train)
    with moved.open("a", encoding="utf-8") as file:
        file.write("one more\n")
    with (tmp_path / "train.en").open("a", encoding="utf-8") as file:
        file.write("one more\n")
    with pytest.raises(FolderError, match=r"holds another preparation, with other corpus; choose"):
        prepare(recipe.model_copy(update={"target": str(moved)}), tmp_path / "out")


def test_the_same_call_returns_the_folder_at_once(corpus, tmp_path):
    prepare(RECIPE, tmp_path / "out", corpus=corpus)
    stamp = (tmp_path / "out" / "train.arrow").stat().st_mtime_ns
    stages: list[str] = []
    prepare(
        RECIPE.model_copy(update={"bpe_dropout": 0.1}),  # used in training only
        tmp_path / "out",
        corpus=corpus,
        progress=lambda stage, done, total: stages.append(stage),
    )
    assert stages == []
    assert (tmp_path / "out" / "train.arrow").stat().st_mtime_ns == stamp


def test_another_call_on_the_same_folder_is_refused(corpus, pairs, tmp_path):
    prepare(RECIPE, tmp_path / "out", corpus=corpus)
    other = RECIPE.model_copy(update={"vocabulary": 320, "max_ratio": 5.0})
    with pytest.raises(
        FolderError, match=r"with other data\.max_ratio, data\.vocabulary; choose another folder"
    ):
        prepare(other, tmp_path / "out", corpus=corpus)
    with pytest.raises(FolderError, match="with other corpus"):
        prepare(RECIPE, tmp_path / "out", corpus=Corpus.of(pairs[1:]))
    with pytest.raises(FolderError, match="with other validation"):
        prepare(RECIPE, tmp_path / "out", corpus=corpus, validation=Corpus.of(pairs[:5]))


def test_places_that_are_taken(corpus, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(FolderError, match="is a file; name a new folder"):
        prepare(RECIPE, tmp_path / "file", corpus=corpus)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("x")
    with pytest.raises(FolderError, match="exists and is not a prepared folder"):
        prepare(RECIPE, tmp_path / "full", corpus=corpus)
    assert (tmp_path / "full" / "thesis.txt").exists()
    (tmp_path / "empty").mkdir()
    assert len(prepare(RECIPE, tmp_path / "empty", corpus=corpus).train)


def test_a_failure_leaves_nothing_behind(corpus, tmp_path):
    (tmp_path / ".out.part").mkdir()  # left by a run that was killed
    recipe = RECIPE.model_copy(update={"vocabulary": 10_000})
    with pytest.raises(TokenizerError, match="but this text gives only"):
        prepare(recipe, tmp_path / "out", corpus=corpus)
    assert list(tmp_path.iterdir()) == []


def test_nothing_left_to_train_on(tmp_path):
    with pytest.raises(
        CorpusError,
        match=r"toy: no training pair is left after cleaning: of 1 pairs 1 dropped: 1 empty\.",
    ):
        prepare(RECIPE, tmp_path / "a", corpus=Corpus.of([("", "x")], "toy"))
    with pytest.raises(CorpusError, match=r"none: no validation pair\. Give"):
        prepare(
            RECIPE,
            tmp_path / "b",
            corpus=Corpus.of([("some text", "ein Text")], "toy"),
            validation=Corpus.of([("", "")], "none"),
        )
    with pytest.raises(CorpusError, match="every train pair has a side of more than 2 tokens"):
        prepare(
            RECIPE.model_copy(update={"max_length": 2}),
            tmp_path / "c",
            corpus=Corpus.of([("a b c d e", "f g h i j")], "toy"),
            validation=Corpus.of([("x", "y")], "v"),
        )
    assert list(tmp_path.iterdir()) == []


def test_missing_recipe_fields(corpus, tmp_path):
    with pytest.raises(RecipeError, match=r"data\.source: no corpus; name its files"):
        prepare(RECIPE, tmp_path / "out")
    with pytest.raises(RecipeError, match=r"data\.target_language: needed for data\.tag"):
        prepare(DataRecipe(tag=True), tmp_path / "out", corpus=corpus)
    with pytest.raises(RecipeError, match=r"data\.source: missing, while data\.target is x\.de"):
        prepare(DataRecipe(target="x.de"), tmp_path / "out")


def test_damaged_folders(corpus, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(FolderError, match=r"recipe\.json is missing"):
        load_prepared(out)
    prepare(RECIPE, out, corpus=corpus)
    (out / "report.json").write_text("{")
    with pytest.raises(FolderError, match=r"report\.json: damaged"):
        load_prepared(out)
    (out / "recipe.json").write_text("[]")
    with pytest.raises(FolderError, match="no JSON object"):
        load_prepared(out)
    (out / "recipe.json").write_text('{"format": 99}')
    with pytest.raises(FolderError, match="format 99, and this version reads format 1"):
        load_prepared(out)


def test_progress_counts_up_to_the_total(corpus, pairs, tmp_path):
    calls: list[tuple[str, int, int | None]] = []
    prepare(RECIPE, tmp_path / "out", corpus=corpus, progress=lambda *call: calls.append(call))
    stages = Counter(stage for stage, *_ in calls)
    assert list(stages) == [
        "clean", "split", "hold out", "tokenizer", "encode", "encode validation",
    ]  # fmt: skip
    last = {stage: (done, total) for stage, done, total, *_ in calls}
    assert last["tokenizer"] == (1, 1)
    assert last["encode"][0] == last["encode"][1]
    assert last["clean"] == (len(pairs), len(pairs))
    assert last["split"][0] + last["hold out"][0] == len(pairs)


def test_vocabulary_size():
    assert vocabulary_size(29_000) == 8000
    assert vocabulary_size(100) == 1000
    assert vocabulary_size(10_000_000) == 32_000
    assert vocabulary_size(29_000, joint=False) == 4800
    assert vocabulary_size(29_000, "word") == 16_000
    assert vocabulary_size(29_000, "character") == 8000


def test_a_real_corpus(real_data, tmp_path):
    folder = real_data / "multi30k"
    recipe = DataRecipe(
        source=str(folder / "val.en"),
        target=str(folder / "val.de"),
        validation_share=0.1,
        vocabulary=2000,
    )
    prepared = prepare(recipe, tmp_path / "out")
    assert len(prepared.train) + len(prepared.validation) == 1014
    assert prepared.tokenizers.source.size == 2000
