"""M2M100, NLLB and mBART-50, which are told both languages: read, used, tuned and written back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import theirs as their
import torch
from spm import TEXTS, learn, pieces

from seqloom.errors import DecodingError, ExportError, RecipeError
from seqloom.export.huggingface import export_huggingface, import_huggingface
from seqloom.folder import load_folder
from seqloom.recipe import recipe_from
from seqloom.text.tags import tag_token
from seqloom.translator import Translator
from seqloom.workflow import train

pytest.importorskip("sentencepiece")
transformers = pytest.importorskip("transformers")

FAIRSEQ = ["<s>", "<pad>", "</s>", "<unk>"]
CODES = {
    "m2m_100": ["__de__", "__en__", "__zh__"],
    "nllb": ["deu_Latn", "eng_Latn", "zho_Hans"],
    "mbart": ["de_DE", "en_XX", "zh_CN"],
}
SIZES: dict[str, Any] = {
    "d_model": 16, "encoder_layers": 1, "decoder_layers": 2, "encoder_attention_heads": 2,
    "decoder_attention_heads": 2, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8,
    "max_position_embeddings": 40, "decoder_start_token_id": 2, "pad_token_id": 1,
    "eos_token_id": 2, "bos_token_id": 0, "scale_embedding": True, "forced_eos_token_id": None,
}  # fmt: skip


def write_m2m100(folder: Path, codes: Sequence[str]) -> int:
    """The files of a published M2M100; gives the number of its tokens."""
    names = pieces(learn(folder, "sentencepiece.bpe", TEXTS, model_type="bpe"))
    (folder / "sentencepiece.bpe.spm").rename(folder / "sentencepiece.bpe.model")
    table = {name: index for index, name in enumerate([*FAIRSEQ, *names])}
    (folder / "vocab.json").write_text(json.dumps(table), encoding="utf-8")
    (folder / "special_tokens_map.json").write_text(
        json.dumps({"unk_token": "<unk>", "additional_special_tokens": list(codes)})
    )
    return len(table) + len(codes) + 8  # words that its makers made up


def checkpoint(folder: Path, family: str, **changes: Any) -> Path:
    """A tiny checkpoint with random weights."""
    folder.mkdir()
    if family == "m2m_100":
        size = write_m2m100(folder, CODES[family])
    else:
        tokenizer = their.unigram(FAIRSEQ, last=[*CODES[family], "<mask>"])
        size = tokenizer.get_vocab_size()
        kind = {"nllb": "NllbTokenizerFast", "mbart": "MBart50TokenizerFast"}[family]
        tokenizer.save(str(folder / "tokenizer.json"))
        (folder / "tokenizer_config.json").write_text(
            json.dumps({"tokenizer_class": kind, "unk_token": "<unk>"} | changes)
        )
    name = "MBart" if family == "mbart" else "M2M100"
    config = getattr(transformers, f"{name}Config")(vocab_size=size, **SIZES)
    model = their.randomize(getattr(transformers, f"{name}ForConditionalGeneration")(config))
    model.save_pretrained(folder)
    return folder


def load_theirs(folder: Path) -> Any:
    return transformers.AutoModelForSeq2SeqLM.from_pretrained(folder).eval()


@pytest.fixture(params=CODES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@torch.no_grad()
def test_both_sides_begin_with_their_language(family: str, tmp_path: Path) -> None:
    theirs = checkpoint(tmp_path / "theirs", family)
    ours = Translator.load(import_huggingface(theirs, tmp_path / "ours"))
    model = load_theirs(theirs)
    origin = json.loads((tmp_path / "ours" / "origin.json").read_text())["source"]["theirs"]
    german, english, _ = (name.strip("_") for name in CODES[family])
    assert ours.tokenizers.source.tags[:2] == (f"<2{german}>", f"<2{english}>")
    languages: Any = {"source_language": english, "target_language": german}

    ids = ours.encode([TEXTS[0]], **languages)[0]
    read = [origin[index] for index in (*ids, 2)]
    names = ours.tokenizers.source.tokens
    assert names[ids[0]] == f"<2{english}>"
    forced = origin[names.index(f"<2{german}>")]
    length = 8
    row = model.generate(
        torch.tensor([read]), num_beams=1, max_new_tokens=length, forced_bos_token_id=forced,
        suppress_tokens=[0, 1, 3],
    )[0].tolist()  # fmt: skip
    assert row[:2] == [2, forced]
    options = ours.recipe.decoding.model_copy(
        update={"beam": 1, "max_length_factor": 1e-9, "max_length_extra": length}
    )
    found = next(ours.stream([TEXTS[0]], options, **languages))
    place = {index: number for number, index in enumerate(origin)}
    written = [place[index] for index in row[2:] if index != 2]
    assert found.text == ours.tokenizers.target.decode(written)
    assert written

    score = ours.score_tokens([TEXTS[0]], [TEXTS[3]], **languages)[0]
    target = ours.framing(**languages).targets([TEXTS[3]])[0]
    labels = torch.tensor([[*(origin[index] for index in target), 2]])
    logits = model(
        input_ids=torch.tensor([read]),
        decoder_input_ids=torch.cat([torch.tensor([[2]]), labels[:, :-1]], 1),
    ).logits
    wanted = torch.log_softmax(logits, -1).gather(-1, labels[..., None]).flatten()
    torch.testing.assert_close(torch.tensor(score), wanted, atol=1e-4, rtol=1e-4)


def test_m2m100_cuts_as_its_own_tokenizer(tmp_path: Path) -> None:
    theirs = checkpoint(tmp_path / "theirs", "m2m_100")
    pair = load_folder(import_huggingface(theirs, tmp_path / "ours")).tokenizers
    origin = json.loads((tmp_path / "ours" / "origin.json").read_text())["source"]["theirs"]
    tokenizer = transformers.M2M100Tokenizer(
        str(theirs / "vocab.json"), str(theirs / "sentencepiece.bpe.model")
    )
    for text in TEXTS:
        ids = pair.source.encode(text)
        assert [origin[i] for i in ids] == tokenizer(text, add_special_tokens=False).input_ids
        assert pair.source.decode(ids) == tokenizer.decode([origin[i] for i in ids])


def test_languages_must_be_named(tmp_path: Path) -> None:
    theirs = checkpoint(tmp_path / "theirs", "nllb")
    ours = Translator.load(import_huggingface(theirs, tmp_path / "ours"))
    with pytest.raises(DecodingError, match=r"into several languages .*say into which with --targ"):
        ours.translate(["the cat"])
    with pytest.raises(DecodingError, match=r"from several languages .*from which with --source-"):
        next(ours.stream(["the cat"], target_language="deu_Latn"))


def test_a_forced_language_is_the_default(tmp_path: Path) -> None:
    theirs = checkpoint(tmp_path / "theirs", "nllb")
    backend = transformers.PreTrainedTokenizerFast(tokenizer_file=str(theirs / "tokenizer.json"))
    index = backend.convert_tokens_to_ids("zho_Hans")
    path = theirs / "generation_config.json"
    path.write_text(json.dumps({"forced_bos_token_id": 2}))
    with pytest.raises(ExportError, match="forced_bos_token_id is 2, which is no token of a lang"):
        import_huggingface(theirs, tmp_path / "ours")
    path.write_text(json.dumps({"forced_bos_token_id": index}))
    ours = load_folder(import_huggingface(theirs, tmp_path / "ours"))
    assert ours.recipe.data.target_language == "zho_Hans"
    back = export_huggingface(tmp_path / "ours", tmp_path / "back")
    assert json.loads((back / "generation_config.json").read_text())["forced_bos_token_id"] == index


def test_the_way_back_has_their_names(family: str, tmp_path: Path) -> None:
    theirs = checkpoint(tmp_path / "theirs", family)
    import_huggingface(theirs, tmp_path / "ours")
    back = export_huggingface(tmp_path / "ours", tmp_path / "back")
    before, after = load_theirs(theirs).state_dict(), load_theirs(back).state_dict()
    assert before.keys() == after.keys()
    unread = ("embed_positions",) if family == "mbart" else ()
    for name, tensor in before.items():
        if not any(part in name for part in unread):
            assert torch.equal(tensor, after[name]), name
    tokenizer = transformers.AutoTokenizer.from_pretrained(back)
    for code in CODES[family]:
        assert tokenizer.convert_tokens_to_ids(code) != tokenizer.unk_token_id
        assert tokenizer(f"{code}the cat").input_ids[0] == tokenizer.convert_tokens_to_ids(code)


def test_the_first_mbart_is_refused(tmp_path: Path) -> None:
    theirs = checkpoint(tmp_path / "theirs", "mbart", tokenizer_class="MBartTokenizer")
    with pytest.raises(ExportError, match=r"is a MBartTokenizer\. mBART puts the language behind"):
        import_huggingface(theirs, tmp_path / "ours")


def test_m2m100_without_languages_is_refused(tmp_path: Path) -> None:
    theirs = checkpoint(tmp_path / "theirs", "m2m_100")
    (theirs / "special_tokens_map.json").unlink()
    with pytest.raises(ExportError, match=r"lists no tokens of languages such as __de__"):
        import_huggingface(theirs, tmp_path / "ours")


def corpus(folder: Path) -> dict[str, Any]:
    """Two words, and the second of them; some pairs held out."""
    words = ["cat", "dog", "mat", "hill", "train", "friend"]
    pairs = [(f"the {one} the {other}", other) for one in words for other in words]
    parts = {"": pairs[6:], "validation_": pairs[:6]}
    fields = {}
    for part, chosen in parts.items():
        for side, lines in zip(("source", "target"), zip(*chosen, strict=True), strict=True):
            path = folder / f"{part}{side}.txt"
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            fields[f"{part}{side}"] = str(path)
    return fields | {"max_ratio": 20.0}


def test_it_goes_on_to_learn_and_gets_a_new_language(tmp_path: Path) -> None:
    theirs = checkpoint(tmp_path / "theirs", "m2m_100")
    import_huggingface(theirs, tmp_path / "ours")
    data = corpus(tmp_path) | {"source_language": "en", "target_language": "kv"}
    recipe = recipe_from(
        {
            "data": data,
            "training": {
                "model_from": str(tmp_path / "ours"), "updates": 120, "validate_every": 60,
                "learning_rate": 1e-2, "batch_tokens": 200, "warmup": 5,
                "label_smoothing": 0.0,
            },
        },
        "test",
    )  # fmt: skip
    tuned = train(recipe, tmp_path / "tuned")
    assert tuned.recipe.data.tag == "both"
    assert tag_token("kv") in tuned.tokenizers.source.tags
    assert tuned.framing().begun == tuned.tokenizers.target.encode("", tags=["kv"])
    text = (tmp_path / "tuned" / "metrics.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    before, *_, after = (line for line in lines if line["kind"] == "validation")
    assert after["loss"] < before["loss"] / 2
    assert after["exact"] > before["exact"]
    # The languages of the run are those of its folder, so none need be named.
    written = tuned.translate(["the dog the mat"], beam=1)[0]
    assert written
    assert "<2kv>" not in written


def test_both_languages_need_names_and_one_vocabulary(tmp_path: Path) -> None:
    data = corpus(tmp_path)
    with pytest.raises(RecipeError, match=r"data\.tag: 'both' .* needs data\.joint=true"):
        recipe_from({"data": data | {"tag": "both", "joint": False}}, "test")
    recipe = recipe_from({"data": data | {"tag": "both", "target_language": "kv"}}, "test")
    with pytest.raises(RecipeError, match=r"data\.source_language: needed for data\.tag"):
        train(recipe, tmp_path / "out")
