"""Language models of transformers: read, they say the same; and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import theirs as their
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer as Backend

from seqloom.decoding.search import search
from seqloom.export.huggingface import export_huggingface, import_huggingface
from seqloom.language_folder import (
    LanguageFolder,
    load_language_folder,
    save_language_config,
    save_language_weights,
)
from seqloom.models import build_language_model
from seqloom.models.base import MaskedModel
from seqloom.recipe import DecodingRecipe, TextRecipe
from seqloom.recipe.language import BertRecipe, GptRecipe
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.text.tokenizer import Tokenizer

transformers = pytest.importorskip("transformers")

BERT_ROLES = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
LLAMA_ROLES = {"bos": "<s>", "eos": "</s>", "unk": "<unk>"}
GPT2_ROLES = {"bos": "<|endoftext|>", "eos": "<|endoftext|>"}
LLAMA = {
    "hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 40, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip


def spare(tokenizer: Backend) -> int:
    """A vocabulary of a size that suits devices, as many checkpoints have."""
    return tokenizer.get_vocab_size() + 5


def make(name: str) -> tuple[Any, Backend, dict[str, str]]:
    """A model of theirs, its tokenizer and the roles of its special tokens."""
    if name == "roformer":
        tokenizer = their.word_piece()
        config = transformers.RoFormerConfig(
            vocab_size=tokenizer.get_vocab_size(), hidden_size=16, num_hidden_layers=2,
            num_attention_heads=2, intermediate_size=20, max_position_embeddings=40,
        )  # fmt: skip
        return transformers.RoFormerForMaskedLM(config), tokenizer, BERT_ROLES
    if name.startswith("bert"):
        tokenizer = their.word_piece()
        config = transformers.BertConfig(
            vocab_size=tokenizer.get_vocab_size(), hidden_size=16, num_hidden_layers=2,
            num_attention_heads=4, intermediate_size=20, max_position_embeddings=40,
            hidden_act="gelu_new" if name == "bert-masked" else "gelu",
        )  # fmt: skip
        kind = {
            "bert": transformers.BertForPreTraining,
            "bert-masked": transformers.BertForMaskedLM,
            "bert-bare": transformers.BertModel,
        }[name]
        return kind(config), tokenizer, BERT_ROLES
    if name.startswith("gpt2"):
        tokenizer = their.byte_bpe(["<|endoftext|>"])
        config = transformers.GPT2Config(
            vocab_size=spare(tokenizer), n_embd=16, n_layer=2, n_head=4, n_positions=40,
            bos_token_id=0, eos_token_id=0,
        )  # fmt: skip
        kind = transformers.GPT2Model if name == "gpt2-bare" else transformers.GPT2LMHeadModel
        return kind(config), tokenizer, GPT2_ROLES
    tokenizer = their.byte_fallback()
    size = tokenizer.get_vocab_size()
    if name == "llama":
        config = transformers.LlamaConfig(vocab_size=size, **LLAMA)
        return transformers.LlamaForCausalLM(config), tokenizer, LLAMA_ROLES
    if name == "llama-tied":
        config = transformers.LlamaConfig(
            vocab_size=size, tie_word_embeddings=True, attention_bias=True, mlp_bias=True,
            head_dim=6, rope_parameters={"rope_type": "default", "rope_theta": 500.0}, **LLAMA,
        )  # fmt: skip
        return transformers.LlamaForCausalLM(config), tokenizer, LLAMA_ROLES
    if name == "mistral":
        config = transformers.MistralConfig(vocab_size=size, sliding_window=3, **LLAMA)
        return transformers.MistralForCausalLM(config), tokenizer, LLAMA_ROLES
    tokenizer = their.byte_bpe(["<|endoftext|>", "<|im_end|>"])
    roles = {"pad": "<|endoftext|>", "eos": "<|im_end|>"}
    size = spare(tokenizer)
    window = {"use_sliding_window": True, "sliding_window": 3, "max_window_layers": 0}
    config = transformers.Qwen2Config(
        vocab_size=size, **(window if name == "qwen2-window" else {}), **LLAMA | {"bos_token_id": 0}
    )
    return transformers.Qwen2ForCausalLM(config), tokenizer, roles


NAMES = [
    "bert", "bert-masked", "roformer", "gpt2", "llama", "llama-tied", "mistral", "qwen2",
    "qwen2-window",
]  # fmt: skip


@pytest.fixture(scope="module", params=NAMES)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A model of theirs, the folder of its checkpoint, and that of ours."""
    return taken(request.param, tmp_path_factory.mktemp(request.param))


def taken(name: str, folder: Path, **how: Any) -> Any:
    model, tokenizer, roles = make(name)
    their.randomize(model)
    their.write(folder / "theirs", model, tokenizer, roles, **how)
    ours = import_huggingface(folder / "theirs", folder / "ours")
    return model, folder / "theirs", load_language_folder(ours)


def batch(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids [3 9] and which of them are real."""
    ids = torch.randint(5, size, (3, 9), generator=torch.Generator().manual_seed(2))
    real = torch.ones(3, 9, dtype=torch.long)
    real[1, 4:] = real[2, 1:] = 0
    return ids, real


def logits_of(model: Any, ids: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    found = model(input_ids=ids, attention_mask=real)
    return (found.prediction_logits if hasattr(found, "prediction_logits") else found.logits)[
        real.bool()
    ]


def our_logits(ours: LanguageFolder[Any], ids: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    return ours.model.project(ours.model(ids, real))[real.bool()]


@torch.no_grad()
def test_logits_are_equal(pair: Any) -> None:
    model, _, ours = pair
    ids, real = batch(ours.tokenizer.size)
    expected = logits_of(model, ids, real)
    assert expected.std() > 0.3
    torch.testing.assert_close(our_logits(ours, ids, real), expected, atol=1e-4, rtol=1e-4)


def test_the_way_back_changes_no_weight_and_no_id(pair: Any, tmp_path: Path) -> None:
    model, theirs, ours = pair
    out = export_huggingface(ours.path, tmp_path / "out")
    before, after = load_file(theirs / "model.safetensors"), load_file(out / "model.safetensors")
    before.pop("roformer.encoder.embed_positions.weight", None)  # is computed
    assert before.keys() <= after.keys()
    for name, tensor in before.items():
        assert torch.equal(tensor, after[name]), name
    again = type(model).from_pretrained(out)
    assert again.state_dict().keys() == model.state_dict().keys()
    first, second = (transformers.AutoTokenizer.from_pretrained(f) for f in (theirs, out))
    text = "The dog and Über 😀"
    assert first(text).input_ids == second(text).input_ids
    assert ours.tokenizer.encode(text) == first(text, add_special_tokens=False).input_ids


def test_special_tokens_keep_their_ids(pair: Any) -> None:
    model, theirs, ours = pair
    symbols = ours.tokenizer.symbols
    tokenizer = transformers.AutoTokenizer.from_pretrained(theirs)
    begins = (tokenizer.cls_token_id, tokenizer.bos_token_id, model.config.bos_token_id)
    assert symbols.begin == next(index for index in begins if index is not None)
    ends = (tokenizer.sep_token_id, tokenizer.eos_token_id)
    assert symbols.end == next(index for index in ends if index is not None)
    assert symbols.mask == tokenizer.mask_token_id
    named = getattr(tokenizer, "unk_token", None) == "<unk>" or tokenizer.cls_token is not None
    assert symbols.unknown == (tokenizer.unk_token_id if named else None)
    assert ours.model.symbols == symbols


@pytest.mark.parametrize("beam", [1, 3])
@torch.no_grad()
def test_what_is_written_is_what_generate_writes(pair: Any, beam: int) -> None:
    model, _, ours = pair
    if isinstance(ours.model, MaskedModel):
        pytest.skip("BERT does not write")
    prompts = torch.randint(5, 250, (3, 5), generator=torch.Generator().manual_seed(3))
    options = DecodingRecipe(
        beam=beam, nbest=beam, length_penalty="average", alpha=1.0, max_length_factor=1e-9,
        max_length_extra=8, precision="float32",
    )  # fmt: skip
    found = search([ours.model], prompts, torch.ones_like(prompts, dtype=torch.bool), options)
    symbols = ours.model.symbols
    never = {symbols.pad, symbols.begin, symbols.unknown} - {symbols.end, None}
    rows = model.generate(
        input_ids=prompts,
        attention_mask=torch.ones_like(prompts),
        num_beams=beam,
        num_return_sequences=beam,
        max_new_tokens=8,
        length_penalty=1.0,
        early_stopping="never" if beam > 1 else False,
        suppress_tokens=sorted(never) or None,
        eos_token_id=symbols.end,
        pad_token_id=symbols.pad,
    )[:, prompts.shape[1] :].tolist()
    for number, hypotheses in enumerate(found):
        expected = rows[number * beam : (number + 1) * beam]
        wanted = [row for row in expected if symbols.end not in row]
        given = [list(each.ids) for each in hypotheses if not each.finished]
        common = min(len(wanted), len(given))
        assert common or any(each.finished for each in hypotheses)
        assert given[:common] == wanted[:common]


@pytest.mark.parametrize("name", ["bert", "llama"])
@pytest.mark.parametrize("how", [torch.float16, torch.bfloat16, "shards"])
@torch.no_grad()
def test_half_precision_and_shards_are_read(name: str, how: Any, tmp_path: Path) -> None:
    model, tokenizer, roles = make(name)
    their.randomize(model)
    options = {"max_shard_size": "3KB"} if how == "shards" else {}
    if how != "shards":
        model.to(how)
    their.write(tmp_path / "theirs", model, tokenizer, roles, **options)
    assert (tmp_path / "theirs" / "model.safetensors").exists() == (how != "shards")
    ours = load_language_folder(import_huggingface(tmp_path / "theirs", tmp_path / "ours"))
    ids, real = batch(ours.tokenizer.size)
    # Read again: a model that is turned to bfloat16 rounds the angles of its positions too.
    whole = type(model).from_pretrained(tmp_path / "theirs", dtype=torch.float32).eval()
    expected = logits_of(whole, ids, real)
    torch.testing.assert_close(our_logits(ours, ids, real), expected, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_checkpoints_without_heads_and_with_the_names_of_old_are_read(tmp_path: Path) -> None:
    model, theirs, ours = taken("bert-bare", tmp_path / "bert")
    ids, real = batch(ours.tokenizer.size)
    torch.testing.assert_close(
        ours.model(ids, real)[real.bool()],
        model(input_ids=ids, attention_mask=real).last_hidden_state[real.bool()],
        atol=1e-4,
        rtol=1e-4,
    )
    card = (ours.path / "README.md").read_text()
    assert "lacks: head of following sentences, head that fills holes, here random" in card
    weights = load_file(theirs / "model.safetensors")
    old = {
        name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): tensor
        for name, tensor in weights.items()
    }
    assert old.keys() != weights.keys()
    save_file(old, theirs / "model.safetensors")
    notes = list[str]()
    again = load_language_folder(import_huggingface(theirs, tmp_path / "again", notes.append))
    assert torch.equal(ours.model(ids, real), again.model(ids, real))
    assert len(notes) == 1 and "it lacks: head of following sentences, head that" in notes[0]

    model, _, ours = taken("gpt2-bare", tmp_path / "gpt2")
    expected = model(input_ids=ids, attention_mask=real).last_hidden_state[real.bool()]
    states = ours.model(ids, real)[real.bool()]
    torch.testing.assert_close(states, expected, atol=1e-4, rtol=1e-4)


def test_heads_of_other_tasks_are_left_out_and_told(tmp_path: Path) -> None:
    _, theirs, _ = taken("bert", tmp_path)
    weights = load_file(theirs / "model.safetensors")
    save_file(weights | {"classifier.weight": torch.zeros(3, 4)}, theirs / "model.safetensors")
    notes = list[str]()
    import_huggingface(theirs, tmp_path / "again", notes.append)
    assert notes == [f"{theirs}: left out, being of other tasks: classifier.weight."]


OURS = {
    "bert": BertRecipe(width=16, heads=4, feedforward=20, layers=2, context=40),
    "roformer": BertRecipe(
        width=16, heads=2, feedforward=20, layers=2, context=40, positions="rotary"
    ),
    "gpt2": GptRecipe(width=16, heads=4, feedforward=20, layers=2, context=40, activation="gelu"),
    "llama": GptRecipe(
        width=16, heads=4, feedforward=20, layers=2, context=40, norm="rms", positions="rotary",
        activation="swiglu", bias="none", tie=False, head_width=6, rotary_base=300.0,
    ),
    "qwen2": GptRecipe(
        width=16, heads=4, feedforward=20, layers=2, context=40, norm="rms", positions="rotary",
        activation="swiglu", bias="query_key_value", key_value_heads=2, window=3,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OURS)
@torch.no_grad()
def test_our_models_are_theirs_after_export(name: str, tmp_path: Path) -> None:
    recipe = OURS[name]
    masked = isinstance(recipe, BertRecipe)
    tokenizer = Tokenizer.train(their.TEXTS, "bpe", 330, mask=masked, exact=False)
    whole = PretrainRecipe(data=TextRecipe(mask=masked), model=recipe)
    model = their.randomize(build_language_model(recipe, tokenizer.size, tokenizer.symbols))
    save_language_config(tmp_path / "ours", "language", whole, tokenizer)
    save_language_weights(tmp_path / "ours", model.state_dict(), whole, tokenizer)

    out = export_huggingface(tmp_path / "ours", tmp_path / "out")
    auto = transformers.AutoModelForMaskedLM if masked else transformers.AutoModelForCausalLM
    theirs = auto.from_pretrained(out).eval()
    # To transformers 5, a Qwen2 has the tokenizer of Qwen2, whatever its folder says.
    kind = transformers.PreTrainedTokenizerFast if name == "qwen2" else transformers.AutoTokenizer
    cutter = kind.from_pretrained(out)
    assert theirs.config.model_type == name
    text = "the cat ran over the Wolken 😀"
    ids = [1, *tokenizer.encode(text), *([2] if masked else [])]
    assert cutter(text).input_ids == ids
    assert cutter.decode(ids, skip_special_tokens=True) == text
    batch = torch.tensor([ids])
    expected = theirs(input_ids=batch).logits
    torch.testing.assert_close(model.project(model(batch)), expected, atol=1e-4, rtol=1e-4)
    if masked:
        assert cutter.mask_token_id == 4
        assert cutter("the <mask>").input_ids[-2] == 4
        fill = transformers.pipeline("fill-mask", model=theirs, tokenizer=cutter)
        assert fill("the <mask> sat")[0]["token_str"]
    else:
        assert cutter("</s>").input_ids == [1, *tokenizer.encode("</s>")]
        write = transformers.pipeline("text-generation", model=theirs, tokenizer=cutter)
        written = write("the cat", max_new_tokens=4, do_sample=False)[0]["generated_text"]
        assert written.startswith("the cat")
