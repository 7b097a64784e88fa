"""Encoder-decoders of transformers: read, they translate the same; written back, they are equal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import theirs as their
import torch
from tokenizers import Tokenizer as Backend
from torch import Tensor

import tiny
from seqloom.decoding.search import search
from seqloom.export.huggingface import export_huggingface, import_huggingface
from seqloom.folder import ModelFolder, load_folder
from seqloom.recipe import DecodingRecipe
from seqloom.translator import Translator

transformers = pytest.importorskip("transformers")

FAIRSEQ = ["<s>", "<pad>", "</s>", "<unk>"]
OPTIONS: dict[str, dict[str, Any]] = {
    "marian": {"activation_function": "swish", "scale_embedding": True},
    "pegasus": {"activation_function": "relu", "scale_embedding": True},
    "m2m_100": {"activation_function": "relu", "scale_embedding": True},
    "bart": {"activation_function": "gelu", "scale_embedding": False},
    "mbart": {"activation_function": "gelu", "scale_embedding": True},
}
CLASSES = {
    "marian": ("MarianConfig", "MarianMTModel"),
    "pegasus": ("PegasusConfig", "PegasusForConditionalGeneration"),
    "m2m_100": ("M2M100Config", "M2M100ForConditionalGeneration"),
    "bart": ("BartConfig", "BartForConditionalGeneration"),
    "mbart": ("MBartConfig", "MBartForConditionalGeneration"),
}


def vocabulary(family: str) -> Backend:
    if family == "marian":
        return their.unigram(["</s>", "<unk>"], last=["<pad>"])
    return their.unigram(FAIRSEQ)


def build(family: str, tokenizer: Backend, **changes: Any) -> Any:
    pad, end = (tokenizer.token_to_id(name) for name in ("<pad>", "</s>"))
    config, model = (getattr(transformers, name) for name in CLASSES[family])
    settings = {
        "vocab_size": tokenizer.get_vocab_size(),
        "d_model": their.WIDTH,
        "encoder_layers": their.ENCODER,
        "decoder_layers": their.DECODER,
        "encoder_attention_heads": their.HEADS,
        "decoder_attention_heads": their.HEADS,
        "encoder_ffn_dim": their.INNER,
        "decoder_ffn_dim": their.INNER,
        "max_position_embeddings": 40,
        "pad_token_id": pad,
        "bos_token_id": 0,
        "eos_token_id": end,
        "decoder_start_token_id": pad if family in ("marian", "pegasus") else end,
        "forced_eos_token_id": None,
        "forced_bos_token_id": None,
        **OPTIONS[family],
        **changes,
    }
    built = their.randomize(model(config(**settings)))
    if family != "m2m_100":
        size = built.final_logits_bias.shape[1]
        built.final_logits_bias = torch.randn(1, size, generator=torch.Generator().manual_seed(4))
        built.final_logits_bias[0, end] += 4  # so that translations come to an end
    return built


@pytest.fixture(scope="module", params=CLASSES)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A family, the folder of their checkpoint, and that of ours."""
    folder = tmp_path_factory.mktemp(request.param)
    tokenizer = vocabulary(request.param)
    roles = {"pad": "<pad>", "eos": "</s>", "unk": "<unk>"}
    their.write(folder / "theirs", build(request.param, tokenizer), tokenizer, roles)
    ours = import_huggingface(folder / "theirs", folder / "ours")
    return request.param, folder / "theirs", ours


def load_theirs(family: str, folder: Path) -> Any:
    return getattr(transformers, CLASSES[family][1]).from_pretrained(folder).eval()


def in_their_ids(ours: ModelFolder, ids: Tensor) -> Tensor:
    origin = json.loads((ours.path / "origin.json").read_text())["target"]
    table = [origin["start"] if index is None else index for index in origin["theirs"]]
    return torch.tensor(table)[ids]


def batch(size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Source ids, their mask, and decoder input in our ids; rows of 9, 4 and 1 real tokens."""
    generator = torch.Generator().manual_seed(2)
    source = torch.randint(4, size, (3, 9), generator=generator)
    source[:, -1] = 2
    source[1, 4:], source[1, 3], source[2, 1:], source[2, 0] = 0, 2, 0, 2
    target = torch.randint(4, size, (3, 6), generator=generator)
    target[:, 0] = 1
    return source, source != 0, target


@torch.no_grad()
def test_logits_are_equal(pair: Any) -> None:
    family, theirs, folder = pair
    model, ours = load_theirs(family, theirs), load_folder(folder)
    source, mask, target = batch(ours.tokenizers.target.size)
    expected = model(
        input_ids=in_their_ids(ours, source),
        attention_mask=mask.long(),
        decoder_input_ids=in_their_ids(ours, target),
    ).logits
    logits = ours.model.project(ours.model.decode(ours.model.encode(source, mask), target))
    chances = torch.log_softmax(logits, -1)
    wanted = torch.log_softmax(expected, -1)
    everyone = torch.arange(logits.shape[-1])
    known = everyone[everyone != 1]  # the beginning is ours alone
    assert expected.std() > 0.5
    torch.testing.assert_close(
        chances[..., known], wanted[..., in_their_ids(ours, known)], atol=1e-4, rtol=1e-4
    )
    assert chances[..., 1].max() < -80


@pytest.mark.parametrize("beam", [1, 4])
@torch.no_grad()
def test_translations_are_those_of_generate(pair: Any, beam: int) -> None:
    family, theirs, folder = pair
    model, ours = load_theirs(family, theirs), load_folder(folder)
    source, mask, _ = batch(ours.tokenizers.target.size)
    options = DecodingRecipe(
        beam=beam, nbest=beam, length_penalty="average", alpha=1.0, max_length_factor=1e-9,
        max_length_extra=12, precision="float32",
    )  # fmt: skip
    found = search([ours.model], source, mask, options)
    start, end = model.config.decoder_start_token_id, model.config.eos_token_id
    never = {*in_their_ids(ours, torch.tensor([0, 3])).tolist(), start} - {end}
    rows = model.generate(
        input_ids=in_their_ids(ours, source),
        attention_mask=mask.long(),
        num_beams=beam,
        num_return_sequences=beam,
        max_new_tokens=12,
        length_penalty=1.0,
        early_stopping="never" if beam > 1 else False,
        suppress_tokens=sorted(never),
    ).tolist()
    for number, hypotheses in enumerate(found):
        expected = [row[1:] for row in rows[number * beam : (number + 1) * beam]]
        # Ours ranks what came to an end before what was cut off; theirs mixes them.
        for finished in (True, False):
            wanted = [
                row[: row.index(end)] if finished else row
                for row in expected
                if (end in row) == finished
            ]
            given = [
                in_their_ids(ours, torch.tensor(each.ids, dtype=torch.long)).tolist()
                for each in hypotheses
                if each.finished == finished
            ]
            common = min(len(wanted), len(given))
            assert given[:common] == wanted[:common]
            assert len(given) >= len(wanted) or not finished


def test_the_way_back_changes_no_weight_and_no_id(pair: Any, tmp_path: Path) -> None:
    family, theirs, folder = pair
    out = export_huggingface(folder, tmp_path / "out")
    before, after = load_theirs(family, theirs).state_dict(), load_theirs(family, out).state_dict()
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        unread = 2 if "embed_positions" in name and family in ("bart", "mbart") else 0
        assert torch.equal(tensor[unread:], after[name][unread:]), name
    first, second = (transformers.AutoTokenizer.from_pretrained(f) for f in (theirs, out))
    assert first.get_vocab() == second.get_vocab()
    text = "the dog saw Über"
    end = second.convert_tokens_to_ids("</s>")
    assert second(text).input_ids == [*first(text).input_ids, end]
    assert second.decode(second(text).input_ids, skip_special_tokens=True) == text


def test_our_tokenizer_cuts_as_theirs(pair: Any) -> None:
    _, theirs, folder = pair
    ours = load_folder(folder)
    tokenizer = ours.tokenizers.source
    text = "the cat and Über friends"
    ids = tokenizer.encode(text)
    expected = transformers.AutoTokenizer.from_pretrained(theirs)(
        text, add_special_tokens=False
    ).input_ids
    assert in_their_ids(ours, torch.tensor(ids)).tolist() == expected
    assert tokenizer.decode([1, *ids, 2]) == text
    assert [tokenizer.description["model"]["vocab"][index][0] for index in (0, 2, 3)] == [
        "<pad>",
        "</s>",
        "<unk>",
    ]
    assert Translator.load(folder).translate([text])[0] is not None


SWITCHES: dict[str, dict[str, Any]] = {
    "pegasus": {},
    "marian": {"norm": "post", "activation": "silu"},
    "marian, own sides": {"norm": "post", "tie": "target"},
    "marian, untied": {"norm": "post", "tie": "none", "output_bias": True},
    "m2m_100": {"positions": "fairseq"},
    "bart": {"norm": "post", "positions": "learned", "normalize_embedding": True},
    "mbart": {"positions": "learned", "normalize_embedding": True, "activation": "gelu"},
}


@pytest.mark.parametrize("name", SWITCHES)
@torch.no_grad()
def test_our_models_are_theirs_after_export(name: str, tmp_path: Path) -> None:
    switches = SWITCHES[name]
    joint = switches.get("tie", "all") == "all"
    model = {"family": "transformer", "width": 16, "heads": 4, "feedforward": 20, **switches}
    ours = tiny.untrained(model, joint=joint)
    their.randomize(ours.model)
    out = export_huggingface(tiny.save(ours, tmp_path / "ours"), tmp_path / "out")

    theirs = transformers.AutoModelForSeq2SeqLM.from_pretrained(out).eval()
    assert theirs.config.model_type == name.partition(",")[0]
    source = transformers.AutoTokenizer.from_pretrained(out)
    target = source if joint else transformers.AutoTokenizer.from_pretrained(out / "target")
    text, written = "a b c. </s> d", "A B C"
    read, start = source(text, return_tensors="pt"), theirs.config.decoder_start_token_id
    assert source.decode(read.input_ids[0], skip_special_tokens=True) == text
    ids = [[*ours.tokenizers.source.encode(text), 2]]
    begun = [[1, *ours.tokenizers.target.encode(written)]]
    if name != "m2m_100":
        assert read.input_ids.tolist() == ids
    memory = ours.model.encode(torch.tensor(ids), torch.ones(1, len(ids[0]), dtype=torch.bool))
    logits = ours.model.project(ours.model.decode(memory, torch.tensor(begun)))
    said = [[start, *target(written, add_special_tokens=False).input_ids]]
    expected = theirs(**read, decoder_input_ids=torch.tensor(said)).logits
    if name == "m2m_100":  # whose padding is 1
        expected = expected[..., [1, 0, *range(2, expected.shape[-1])]]
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)

    found = theirs.generate(**read, num_beams=1, max_new_tokens=8)
    mine = ours.translate([text], beam=1, max_length_factor=1e-9, max_length_extra=8)
    assert target.decode(found[0], skip_special_tokens=True) == mine[0]


def test_language_tags_are_put_before_the_source_or_typed_by_the_user(tmp_path: Path) -> None:
    pair = tiny.tokenizers_of(tags=["de", "fr"])
    text = "a b c."
    for name, data in (("one", {"tag": True, "target_language": "fr"}), ("several", {"tag": True})):
        ours = tiny.untrained({**tiny.TRANSFORMER}, tokenizers=pair, **data)
        out = export_huggingface(tiny.save(ours, tmp_path / name), tmp_path / f"{name}-theirs")
        theirs = transformers.AutoTokenizer.from_pretrained(out)
        expected = [*pair.source.encode(text, tags=["fr"]), 2]
        assert theirs(text if name == "one" else f"<2fr>{text}").input_ids == expected
