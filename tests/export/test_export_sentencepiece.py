"""Vocabularies of SentencePiece: cut as by its library, and as Marian's checkpoints use it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import theirs as their
import torch
from spm import TEXTS, learn, pieces

from seqloom.errors import DecodingError, ExportError
from seqloom.export.huggingface import import_huggingface
from seqloom.export.sentencepiece import backend_of
from seqloom.translator import Translator

sentencepiece = pytest.importorskip("sentencepiece")
transformers = pytest.importorskip("transformers")

ODD = ["", " ", "the", "  über   den  mat ", "\u00a0cat", "ﬁ", "friends\nand dogs"]
SPECIAL = ["</s>", "<unk>", "<pad>"]


@pytest.mark.parametrize(
    "how",
    [
        {"model_type": "unigram"},
        {"model_type": "bpe"},
        {"model_type": "unigram", "add_dummy_prefix": False},
        {"model_type": "unigram", "remove_extra_whitespaces": False},
        {"model_type": "unigram", "normalization_rule_name": "identity"},
        {"model_type": "bpe", "byte_fallback": True, "vocab_size": 320},
        {"model_type": "unigram", "byte_fallback": True, "vocab_size": 320},
        {"model_type": "bpe", "user_defined_symbols": ["<sep>"]},
        {"model_type": "bpe", "split_by_whitespace": False},
    ],
    ids=lambda how: " ".join(str(value) for value in how.values()),
)
def test_texts_are_cut_as_their_library_cuts_them(tmp_path: Path, how: dict[str, Any]) -> None:
    path = learn(tmp_path, "both", TEXTS, **how)
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(path))
    # In another order, among tokens of the other side, which the texts could be made of.
    own = pieces(path)
    others = [name for name in ("▁the▁cat", "ver▁the", "thec") if name not in own]
    vocabulary = [*SPECIAL, *reversed(own), *others]
    ours = backend_of(path, vocabulary, "<unk>", SPECIAL)
    texts = [*TEXTS, *ODD, *(["the<sep>cat"] if "user_defined_symbols" in how else [])]
    texts += ["naïve ☃ mat"] if how.get("byte_fallback") else []
    for text in texts:
        if text[:1].isspace() and how.keys() & {"remove_extra_whitespaces", "user_defined_symbols"}:
            continue  # theirs puts one more space before, or takes it away
        wanted, numbers = (theirs.encode(text, out_type=kind) for kind in (str, int))
        found = ours.encode(text, add_special_tokens=False)
        if theirs.unk_id() not in numbers:
            assert found.tokens == wanted, text
            assert found.ids == [vocabulary.index(token) for token in wanted]
            assert ours.decode(found.ids) == theirs.decode(wanted), text


def marian(folder: Path, *, shared: bool = True, languages: Sequence[str] = ()) -> Path:
    """A checkpoint as OPUS-MT publishes them: no tokenizer.json."""
    folder.mkdir()
    halves = {"source": TEXTS[:3] * 2, "target": TEXTS[3:] * 2}
    names: dict[str, list[str]] = {}
    for side, texts in halves.items():
        names[side] = pieces(learn(folder, side, texts, character_coverage=1.0))
    if shared:
        names["source"] = list(dict.fromkeys([*names["source"], *names["target"]]))
        names["target"] = names["source"]
    for file, side in (("vocab.json", "source"), ("target_vocab.json", "target")):
        ordered = ["</s>", "<unk>", *names[side], *languages, "<pad>"]
        table = {name: index for index, name in enumerate(ordered)}
        names[side] = ordered
        if side == "source" or not shared:
            (folder / file).write_text(json.dumps(table), encoding="utf-8")
    sizes = [len(names[side]) for side in ("source", "target")]
    if not shared:  # both end with padding, which one id stands for
        assert sizes[0] == sizes[1]
    config = transformers.MarianConfig(
        vocab_size=sizes[0], decoder_vocab_size=sizes[1], d_model=16, encoder_layers=1,
        decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=8,
        decoder_ffn_dim=8, max_position_embeddings=40, pad_token_id=sizes[0] - 1, eos_token_id=0,
        bos_token_id=0, decoder_start_token_id=sizes[0] - 1, scale_embedding=True,
        activation_function="swish", share_encoder_decoder_embeddings=shared,
        forced_eos_token_id=None, bad_words_ids=[[sizes[0] - 1]], num_beams=2,
    )  # fmt: skip
    model = their.randomize(transformers.MarianMTModel(config))
    model.final_logits_bias = torch.zeros(1, sizes[1])
    model.final_logits_bias[0, 0] = 4.0
    model.save_pretrained(folder)
    separate = {"separate_vocabs": True} if not shared else {}
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"source_lang": "en", "target_lang": "de", **separate}), encoding="utf-8"
    )
    return folder


def test_a_published_marian_reads_and_translates_as_transformers_does(tmp_path: Path) -> None:
    folder = marian(tmp_path / "theirs")
    ours = Translator.load(import_huggingface(folder, tmp_path / "ours"))
    model = transformers.MarianMTModel.from_pretrained(folder).eval()
    tokenizer = transformers.MarianTokenizer.from_pretrained(folder)
    origin = json.loads((tmp_path / "ours" / "origin.json").read_text())["source"]["theirs"]
    for text in TEXTS[:3]:
        read = tokenizer(text, return_tensors="pt")
        ids = ours.encode([text])[0]
        assert [origin[index] for index in (*ids, 2)] == read.input_ids[0].tolist()
        row = model.generate(**read, num_beams=1, max_new_tokens=8, suppress_tokens=[1])[0]
        wanted = tokenizer.decode(row, skip_special_tokens=True)
        found = ours.translate([text], beam=1, max_length_factor=1e-9, max_length_extra=8)
        assert found[0].strip() == wanted
    target = TEXTS[3]
    found_ids = ours.tokenizers.target.encode(target)
    wanted_ids = tokenizer(text_target=target).input_ids
    assert [origin[index] for index in (*found_ids, 2)] == wanted_ids
    assert ours.tokenizers.target.decode(found_ids) == target


def test_languages_of_a_marian_become_tags(tmp_path: Path) -> None:
    folder = marian(tmp_path / "theirs", languages=[">>deu<<", ">>zho_Hans<<"])
    ours = Translator.load(import_huggingface(folder, tmp_path / "ours"))
    assert ours.tokenizers.source.tags == ("<2deu>", "<2zho_Hans>")
    tokenizer = transformers.MarianTokenizer.from_pretrained(folder)
    origin = json.loads((tmp_path / "ours" / "origin.json").read_text())["source"]["theirs"]
    ids = ours.encode(["the cat"], target_language="deu")[0]
    assert [origin[index] for index in (*ids, 2)] == tokenizer(">>deu<<the cat").input_ids
    with pytest.raises(DecodingError, match="several languages"):
        ours.translate(["the cat"])
    with pytest.raises(DecodingError, match="not told from which language it translates; leave"):
        ours.encode(["the cat"], target_language="deu", source_language="eng")


def change(path: Path, **values: Any) -> None:
    table = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(table | values), encoding="utf-8")


def test_what_is_missing_or_damaged_is_told(tmp_path: Path) -> None:
    folder = marian(tmp_path / "theirs")
    spm = (folder / "target.spm").read_bytes()
    (folder / "target.spm").write_bytes(b"<html>not found</html>")
    with pytest.raises(ExportError, match=r"target\.spm is no SentencePiece model"):
        import_huggingface(folder, tmp_path / "ours")
    (folder / "target.spm").unlink()
    with pytest.raises(ExportError, match=r"lacks target\.spm; copy or download it too"):
        import_huggingface(folder, tmp_path / "ours")
    (folder / "target.spm").write_bytes(spm)
    change(folder / "vocab.json", the=1)
    with pytest.raises(ExportError, match=r"vocab\.json: expected tokens, <unk> among them"):
        import_huggingface(folder, tmp_path / "ours")
    (folder / "vocab.json").unlink()
    with pytest.raises(ExportError, match=r"vocab\.json: expected tokens"):
        import_huggingface(folder, tmp_path / "ours")
    assert not (tmp_path / "ours").exists()


def test_other_kinds_of_sentencepiece_are_refused(tmp_path: Path) -> None:
    path = learn(tmp_path, "words", ["a b", "a c"], model_type="word", vocab_size=6)
    with pytest.raises(ExportError, match="unigram or bpe, found 6 of kind word"):
        backend_of(path, ["<unk>"], "<unk>", [])
