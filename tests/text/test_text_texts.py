"""From running text to a prepared folder: what is in it, what is held out, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.corpus.pairs import Corpus
from seqloom.corpus.sentences import sentences as cut
from seqloom.errors import CorpusError, FolderError, RecipeError, TokenizerError
from seqloom.recipe import DataRecipe, TextRecipe
from seqloom.symbols import MASK, Symbols
from seqloom.text import document_encoding as module
from seqloom.text.document_encoding import chunks_of, encode_documents, sentence_lengths
from seqloom.text.piece_tables import normalized_ends, piece_bytes, word_beginnings
from seqloom.text.pipeline import KINDS
from seqloom.text.prepare import load_prepared, prepare
from seqloom.text.texts import load_prepared_texts, prepare_texts
from seqloom.text.tokenizer import Tokenizer

STRANGE = [
    "\n", "a\n\nb", " \n x", "\r\n", "“Ja!”\n▁", "\ufdd0\ufdd1", "漢字。\n漢", "  two  ", "🎈\tx",
]  # fmt: skip


@pytest.fixture
def files(sentences, tmp_path) -> Path:
    """A folder with ten documents of forty sentences, two a line."""
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(10):
        mine = sentences[40 * number : 40 * number + 40]
        lines = [f"{a} {b}" for a, b in zip(mine[::2], mine[1::2], strict=True)]
        (folder / f"{number}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def recipe_of(folder: Path, **values) -> TextRecipe:
    return TextRecipe(sources=(str(folder),), **values)


def documents_of(prepared, part="train") -> list[str]:
    store = getattr(prepared, part)
    return [prepared.tokenizer.decode(store.ids(row)) for row in range(len(store))]


@pytest.mark.parametrize("text", STRANGE)
def test_every_kind_keeps_line_breaks(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_stands_behind_the_special_tokens(sentences, kind, tmp_path):
    tokenizer = Tokenizer.train(sentences, kind, 340, tags=["de"], mask=True, exact=False)
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = Tokenizer.load(tmp_path / "tokenizer.json")
    for each in (tokenizer, loaded):
        assert (each.symbols, each.tags, each.control) == (Symbols(mask=4), ("<2de>",), 6)
        assert each.pieces([4, 5]) == [MASK, "<2de>"]
        assert each.tokens[4:6] == (MASK, "<2de>") and len(each.tokens) == each.size
        assert each.decode(each.encode(f"a {MASK} b")) == f"a {MASK} b"
        assert 4 not in each.encode(f"a {MASK} b")
        assert each.encode("Hund", tags=["de"])[0] == 5


def test_without_a_mask_there_is_none(bpe):
    assert (bpe.symbols, bpe.tags) == (Symbols(), ("<2de>", "<2ru>"))


def test_the_mask_is_no_mark(sentences):
    with pytest.raises(TokenizerError, match="<mask> hides tokens from masked models"):
        Tokenizer.train(sentences, "bpe", 340, tags=[MASK])


def test_where_words_begin(tokenizers):
    for kind in ("bpe", "byte_bpe", "unigram"):
        tokenizer = tokenizers[kind]
        begins = word_beginnings(tokenizer)
        ids = tokenizer.encode("Hunde spielen, 12 houses don't")
        words = np.split(ids, np.flatnonzero(begins[ids])[1:])
        found = [tokenizer.decode(word).strip() for word in words]
        # A space by itself, where "▁1" is no piece, is a word without letters.
        assert list(filter(None, found)) == ["Hunde", "spielen", ",", "1", "2", "houses", "don't"]
    han = tokenizers["bpe"].encode("漢字")
    assert word_beginnings(tokenizers["bpe"])[han].tolist() == [True] + [False] * (len(han) - 1)


@settings(deadline=None, max_examples=200)
@given(text=st.text(alphabet=st.sampled_from("aZé .!\n▁\ufdd0\ufdd1漢🎈'")) | st.text())
def test_pieces_add_up_to_the_normalized_text(tokenizers, text):
    for kind, tokenizer in tokenizers.items():
        ids = np.array(tokenizer.encode(text), np.uint32)
        ends = normalized_ends(text, kind)
        assert piece_bytes(tokenizer)[ids].sum() == (ends[-1] if text else 0)
        if text:
            assert sentence_lengths(text, ids, kind, piece_bytes(tokenizer)).sum() == len(ids)


def test_sentences_are_runs_of_tokens(tokenizer):
    text = "Hund und Haus. Katze!\nHouse, dog.\n\n“Klein” groß"
    ids = np.array(tokenizer.encode(text), np.uint32)
    lengths = sentence_lengths(text, ids, tokenizer.kind, piece_bytes(tokenizer))
    found = [tokenizer.decode(run) for run in np.split(ids, np.cumsum(lengths)[:-1])]
    assert [run.strip() for run in found[:3]] == [run.strip() for run in cut(text)[:3]]
    assert len(found) == 4


@settings(deadline=None, max_examples=100)
@given(text=st.text(alphabet=st.sampled_from("ab .\n▁漢'")))
def test_long_texts_are_encoded_in_pieces_to_the_same_tokens(tokenizers, text):
    for tokenizer in tokenizers.values():
        pieces = chunks_of(text, 3)
        assert " ".join(pieces) == text
        tokens = [token for piece in tokenizer.encode_batch(pieces) for token in piece]
        assert tokens == tokenizer.encode(text)


def test_everything_is_in_the_folder(files, tmp_path):
    prepared = prepare_texts(recipe_of(files), tmp_path / "out")
    assert {path.name for path in prepared.folder.iterdir()} == {
        "train.arrow", "validation.arrow", "tokenizer.json", "report.json", "recipe.json",
    }  # fmt: skip
    assert (len(prepared.train), len(prepared.validation)) == (9, 1)
    texts = {path.read_text(encoding="utf-8").rstrip("\n") for path in files.iterdir()}
    found = [*documents_of(prepared), *documents_of(prepared, "validation")]
    assert sorted(found) == sorted(texts)
    report = prepared.report
    assert report["held_out"] == {"rule": "documents", "share": 0.02}
    assert report["vocabulary"] == {
        "kind": "bpe", "size": prepared.tokenizer.size, "mask": False, "chosen": True,
    }  # fmt: skip
    train = documents_of(prepared)
    assert report["train"] == {
        "documents": 9,
        "sentences": sum(len(prepared.train.sentences(row)) for row in range(9)),
        "tokens": sum(len(prepared.train.ids(row)) for row in range(9)),
        "characters": sum(map(len, train)),
        "bytes": sum(len(text.encode()) for text in train),
    }
    assert prepared.train.metadata["tokenizer"] == prepared.tokenizer.fingerprint
    for row in range(9):
        ids = prepared.train.ids(row)
        assert prepared.tokenizer.encode(train[row]) == ids.tolist()
        assert prepared.train.sentences(row).sum() == len(ids)
        assert len(prepared.train.sentences(row)) >= 20


def test_one_document_gives_its_tail(sentences, tmp_path):
    path = tmp_path / "one.txt"
    path.write_text("\n".join(sentences), encoding="utf-8")
    prepared = prepare_texts(TextRecipe(sources=(str(path),), mask=True), tmp_path / "out")
    assert prepared.report["held_out"]["rule"] == "tail"
    (train,), (held_out,) = documents_of(prepared), documents_of(prepared, "validation")
    assert train + held_out == path.read_text(encoding="utf-8") and train.endswith("\n")
    assert prepared.tokenizer.symbols.mask == 4
    assert int(prepared.train.ids(0).min()) > 4
    with pytest.raises(CorpusError, match=r"no document is left for training.*data\.split=tail"):
        prepare_texts(TextRecipe(sources=(str(path),), split="documents"), tmp_path / "other")


def test_texts_in_lower_case(sentences, tmp_path):
    path = tmp_path / "one.txt"
    path.write_text("\n".join(sentences), encoding="utf-8")
    assert any(sentence != sentence.lower() for sentence in sentences)
    recipe = TextRecipe(sources=(str(path),), lowercase=True)
    prepared = prepare_texts(recipe, tmp_path / "out")
    (train,), (held_out,) = documents_of(prepared), documents_of(prepared, "validation")
    assert train + held_out == path.read_text(encoding="utf-8").lower()


def test_what_is_dropped_is_counted(files, tmp_path):
    (files / "copy.txt").write_bytes((files / "0.txt").read_bytes())
    (files / "short.txt").write_text("too short\n")
    held_out = tmp_path / "held.txt"
    held_out.write_bytes((files / "1.txt").read_bytes())
    recipe = recipe_of(files, min_characters=20, validation_sources=(str(held_out),))
    prepared = prepare_texts(recipe, tmp_path / "out")
    dropped = prepared.report["cleaning"]["train"]["dropped"]
    counts = {name: found["count"] for name, found in dropped.items()}
    assert counts == {"short": 1, "overlap": 1, "duplicate": 1}
    assert dropped["short"]["reason"] == "fewer than 20 characters"
    assert (len(prepared.train), len(prepared.validation)) == (9, 1)
    assert prepared.report["held_out"] is None
    both = prepare_texts(recipe.model_copy(update={"deduplicate": False}), tmp_path / "both")
    assert len(both.train) == 10


def test_the_same_call_opens_the_folder_and_another_is_refused(files, tmp_path):
    recipe, out = recipe_of(files), tmp_path / "out"
    prepare_texts(recipe, out)
    stamp = (out / "train.arrow").stat().st_mtime_ns
    again = prepare_texts(recipe, out)
    assert (out / "train.arrow").stat().st_mtime_ns == stamp
    assert again.recipe == recipe.model_copy(update={"sources": ()})
    with pytest.raises(FolderError, match=r"another preparation, with other data\.mask; choose"):
        prepare_texts(recipe.model_copy(update={"mask": True}), out)
    (files / "0.txt").write_text("changed\n")
    with pytest.raises(FolderError, match="another preparation, with other texts"):
        prepare_texts(recipe, out)


def test_workers_and_interruptions_change_nothing(files, tmp_path, monkeypatch):
    recipe = recipe_of(files, documents="lines")
    one = prepare_texts(recipe, tmp_path / "one")

    def interrupt(stage, done, total, note=""):
        if stage == "encode":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_texts(recipe, tmp_path / "two", progress=interrupt)
    monkeypatch.setattr(module, "CHUNK_CHARACTERS", 10)
    stages = set()
    two = prepare_texts(
        recipe, tmp_path / "two", workers=2, progress=lambda stage, *rest: stages.add(stage)
    )
    assert stages == {"encode", "encode validation"}
    assert documents_of(one) == documents_of(two)
    assert one.report == two.report


def test_pairs_and_texts_are_told_apart(files, tmp_path):
    prepare_texts(recipe_of(files), tmp_path / "texts-out")
    pairs = Corpus.of([(f"a b {n}", f"c d {n}") for n in range(200)])
    prepare(DataRecipe(validation_share=0.1), tmp_path / "pairs-out", corpus=pairs)
    with pytest.raises(FolderError, match="a prepared folder of texts; this needs one of pairs"):
        load_prepared(tmp_path / "texts-out")
    with pytest.raises(FolderError, match="a prepared folder of pairs; this needs one of texts"):
        load_prepared_texts(tmp_path / "pairs-out")


def test_what_cannot_be_prepared_is_told(files, tmp_path):
    with pytest.raises(RecipeError, match=r"data\.sources: name the files of text"):
        prepare_texts(TextRecipe(), tmp_path / "out")
    blank = tmp_path / "blank.txt"
    blank.write_text(" \n\n")
    with pytest.raises(CorpusError, match=r"blank\.txt: no text is left after cleaning: of 1 doc"):
        prepare_texts(TextRecipe(sources=(str(blank),)), tmp_path / "out")
    with pytest.raises(TokenizerError, match="90000 tokens was asked for, but this text gives"):
        prepare_texts(recipe_of(files, vocabulary=90_000), tmp_path / "out")
    lines = tmp_path / "bad.jsonl"
    lines.write_text(json.dumps({"text": "x"}) + "\n" + json.dumps({"body": "x"}) + "\n")
    with pytest.raises(CorpusError, match=r"bad\.jsonl, line 2: no column 'text'"):
        prepare_texts(TextRecipe(sources=(str(lines),)), tmp_path / "run" / "data")
    assert not (tmp_path / "run").exists()  # was made for it
    with pytest.raises(ValueError, match=r"data\.split: tail says how to hold a share out"):
        TextRecipe(split="tail", validation_sources=("x",))
    assert not (tmp_path / "out").exists()


def test_encoding_documents_of_any_length(tokenizer, sentences, monkeypatch):
    texts = [" ".join(sentences[:50]), "", "x"]
    whole = [ids.tolist() for ids in encode_documents(tokenizer, texts)]
    assert whole == tokenizer.encode_batch(texts)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("tinyshakespeare", {}),
        ("wikitext-2", {"documents": "paragraphs", "tokenizer": "byte_bpe"}),
        ("poems-zh/dev.up", {"documents": "lines", "tokenizer": "character"}),
    ],
)
def test_real_texts(real_data, tmp_path, name, values):
    recipe = TextRecipe(sources=(str(real_data / name),), **values)
    prepared = prepare_texts(recipe, tmp_path / "out")
    for row in range(min(len(prepared.train), 50)):
        ids = prepared.train.ids(row)
        assert prepared.tokenizer.encode(prepared.tokenizer.decode(ids)) == ids.tolist()
        assert prepared.train.sentences(row).sum() == len(ids)
