"""Our BERT and GPT equal Hugging Face's BERT, GPT-2, Llama, Mistral and Qwen2 on random weights.

Nothing is downloaded. Weights go through an explicit table of names, which must be one to one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqloom.models import build_language_model
from seqloom.recipe.language import BertRecipe, GptRecipe
from seqloom.symbols import Symbols

transformers = pytest.importorskip("transformers")

WIDTH, INNER, HEADS, GROUPS, LAYERS, VOCABULARY, CONTEXT = 24, 36, 4, 2, 3, 40, 30
EPSILON = 0.05
"""Large enough to show where it is added."""


class Case(NamedTuple):
    """A model of theirs, and the same in our words."""

    config: str
    model: str
    options: dict[str, Any]
    recipe: BertRecipe | GptRecipe


def ours(family: type[Any], **values: Any) -> Any:
    return family(
        width=WIDTH, feedforward=INNER, heads=HEADS, layers=LAYERS, context=CONTEXT, **values
    )


def llama(**values: Any) -> GptRecipe:
    options = {"norm": "rms", "positions": "rotary", "activation": "swiglu", "bias": "none"}
    return ours(GptRecipe, norm_epsilon=EPSILON, **{**options, "tie": False, **values})


LLAMA = {
    "hidden_size": WIDTH,
    "intermediate_size": INNER,
    "num_attention_heads": HEADS,
    "num_hidden_layers": LAYERS,
    "max_position_embeddings": CONTEXT,
    "rms_norm_eps": EPSILON,
    "tie_word_embeddings": False,
}
GPT2 = {
    "n_embd": WIDTH,
    "n_inner": INNER,
    "n_head": HEADS,
    "n_layer": LAYERS,
    "n_positions": CONTEXT,
    "layer_norm_epsilon": EPSILON,
}
CASES = {
    "bert": Case(
        "BertConfig",
        "BertForPreTraining",
        {
            "hidden_size": WIDTH,
            "intermediate_size": INNER,
            "num_attention_heads": HEADS,
            "num_hidden_layers": LAYERS,
            "max_position_embeddings": CONTEXT,
            "layer_norm_eps": EPSILON,
        },
        ours(BertRecipe, norm_epsilon=EPSILON),
    ),
    "gpt-2": Case("GPT2Config", "GPT2LMHeadModel", GPT2, ours(GptRecipe, norm_epsilon=EPSILON)),
    "llama": Case(
        "LlamaConfig",
        "LlamaForCausalLM",
        {**LLAMA, "num_key_value_heads": GROUPS, "rope_theta": 500.0},
        llama(key_value_heads=GROUPS, rotary_base=500.0),
    ),
    "llama-tied": Case(
        "LlamaConfig",
        "LlamaForCausalLM",
        {**LLAMA, "num_key_value_heads": HEADS, "tie_word_embeddings": True, "head_dim": 8},
        llama(tie=True, head_width=8),
    ),
    "mistral": Case(
        "MistralConfig",
        "MistralForCausalLM",
        {**LLAMA, "num_key_value_heads": GROUPS, "sliding_window": 4},
        llama(key_value_heads=GROUPS, window=4),
    ),
    "qwen2": Case(
        "Qwen2Config",
        "Qwen2ForCausalLM",
        {**LLAMA, "num_key_value_heads": GROUPS},
        llama(key_value_heads=GROUPS, bias="query_key_value"),
    ),
}
CAUSAL = {name: case for name, case in CASES.items() if name != "bert"}

BERT_NAMES = {
    "tokens": "bert.embeddings.word_embeddings",
    "positions.table": "bert.embeddings.position_embeddings.weight",
    "segments": "bert.embeddings.token_type_embeddings",
    "embedding_norm": "bert.embeddings.LayerNorm",
    "self_attention.query": "attention.self.query",
    "self_attention.key": "attention.self.key",
    "self_attention.value": "attention.self.value",
    "self_attention.output": "attention.output.dense",
    "self_attention_norm": "attention.output.LayerNorm",
    "feedforward.inner": "intermediate.dense",
    "feedforward.outer": "output.dense",
    "feedforward_norm": "output.LayerNorm",
    "pooling": "bert.pooler.dense",
    "transform": "cls.predictions.transform.dense",
    "transform_norm": "cls.predictions.transform.LayerNorm",
    "output": "cls.predictions",
    "following": "cls.seq_relationship",
}
GPT2_NAMES = {
    "tokens": "transformer.wte",
    "positions.table": "transformer.wpe.weight",
    "self_attention_norm": "ln_1",
    "self_attention.query": "attn.c_attn",
    "self_attention.key": "attn.c_attn",
    "self_attention.value": "attn.c_attn",
    "self_attention.output": "attn.c_proj",
    "feedforward_norm": "ln_2",
    "feedforward.inner": "mlp.c_fc",
    "feedforward.outer": "mlp.c_proj",
    "norm": "transformer.ln_f",
}
LLAMA_NAMES = {
    "tokens": "model.embed_tokens",
    "self_attention_norm": "input_layernorm",
    "self_attention.query": "self_attn.q_proj",
    "self_attention.key": "self_attn.k_proj",
    "self_attention.value": "self_attn.v_proj",
    "self_attention.output": "self_attn.o_proj",
    "feedforward_norm": "post_attention_layernorm",
    "feedforward.gate": "mlp.gate_proj",
    "feedforward.inner": "mlp.up_proj",
    "feedforward.outer": "mlp.down_proj",
    "norm": "model.norm",
    "output": "lm_head",
}
TABLES = {
    "bert": (BERT_NAMES, "bert.encoder.layer"),
    "gpt-2": (GPT2_NAMES, "transformer.h"),
    "llama": (LLAMA_NAMES, "model.layers"),
}


def their_name(name: str, kind: str) -> str:
    """Their parameter that fills ours."""
    table, layers = TABLES.get(kind, TABLES["llama"])
    if name in table:
        return table[name]
    place, _, last = name.rpartition(".")
    if not place.startswith("layers."):
        return f"{table[place]}.{last}"
    _, number, inner = place.split(".", 2)
    return f"{layers}.{number}.{table[inner]}.{last}"


def filled(name: str, theirs: Mapping[str, Tensor], kind: str) -> Tensor:
    """What stands in their parameters for ours of this name."""
    tensor = theirs[their_name(name, kind)]
    if kind == "gpt-2" and name.startswith("layers.") and "norm" not in name:
        tensor = tensor.T if name.endswith("weight") else tensor
        parts = ("query", "key", "value")
        for number, part in enumerate(parts):
            if f".{part}." in name:
                return tensor.chunk(len(parts))[number]
    return tensor


def build_pair(kind: str) -> tuple[nn.Module, Any]:
    """Their model with random weights that show every error, and ours with the same."""
    case = CASES[kind]
    config = getattr(transformers, case.config)(vocab_size=VOCABULARY, **case.options)
    theirs = getattr(transformers, case.model)(config).eval()
    generator = torch.Generator().manual_seed(1)
    for name, parameter in theirs.named_parameters():
        parameter.data.normal_(0, 0.3, generator=generator)
        if ("norm" in name.lower() or ".ln_" in name) and name.endswith("weight"):
            parameter.data += 1
    model = build_language_model(case.recipe, VOCABULARY, Symbols()).eval()
    mine, other = dict(model.named_parameters()), dict(theirs.named_parameters())
    assert {their_name(name, kind) for name in mine} == set(other)
    assert sum(p.numel() for p in mine.values()) == sum(p.numel() for p in other.values())
    with torch.no_grad():
        for name, parameter in mine.items():
            parameter.copy_(filled(name, other, kind))
    return theirs, model


def texts(seed: int = 2) -> Tensor:
    return torch.randint(4, VOCABULARY, (3, 14), generator=torch.Generator().manual_seed(seed))


def same_gradients(model: nn.Module, theirs: nn.Module, kind: str) -> None:
    other = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    for name, parameter in model.named_parameters():
        wanted = filled(name, other, kind)
        torch.testing.assert_close(parameter.grad, wanted, atol=1e-4, rtol=1e-3, msg=name)


@pytest.mark.parametrize("kind", CAUSAL)
def test_causal_logits_and_gradients_are_equal(kind: str) -> None:
    theirs, model = build_pair(kind)
    expected = theirs(input_ids=texts()).logits
    logits = model.project(model(texts()))
    assert expected.std() > 0.5
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
    for output in (logits, expected):
        F.cross_entropy(output.flatten(0, 1), texts(3).flatten()).backward()
    same_gradients(model, theirs, kind)


@pytest.mark.parametrize("kind", CAUSAL)
@torch.no_grad()
def test_greedy_outputs_are_equal(kind: str) -> None:
    """Prompts of three lengths, in one batch with us and one by one with them."""
    theirs, model = build_pair(kind)
    lengths = torch.tensor([9, 5, 1])
    memory = model.encode(texts(), torch.arange(14) < lengths[:, None])
    state, last, outputs = model.start(memory), memory.opening, []
    for _ in range(12):
        hidden, state = model.step(memory, state, last)
        last = model.project(hidden).argmax(dim=-1)
        outputs.append(last)
    for row, length in enumerate(lengths.tolist()):
        text = texts()[row : row + 1, :length]
        for _ in range(12):
            logits = theirs(input_ids=text, use_cache=False).logits
            text = torch.cat([text, logits[:, -1:].argmax(dim=-1)], dim=1)
        assert torch.stack(outputs, dim=1)[row].tolist() == text[0, length:].tolist()


def bert_outputs(
    theirs: nn.Module, model: Any, documents: Tensor
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Hidden states, token logits and order logits: theirs and ours."""
    segments = (torch.arange(14) >= 6).long().expand(3, -1)
    found = theirs(
        input_ids=texts(), attention_mask=documents, token_type_ids=segments,
        output_hidden_states=True,
    )  # fmt: skip
    hidden = model(texts(), documents, segments)
    return (
        (found.hidden_states[-1], found.prediction_logits, found.seq_relationship_logits),
        (hidden, model.project(hidden), model.follows(model.pool(hidden[:, 0]))),
    )


@pytest.mark.parametrize("lengths", [[14, 14, 14], [14, 9, 1]])
def test_bert_is_equal(lengths: list[int]) -> None:
    theirs, model = build_pair("bert")
    documents = (torch.arange(14) < torch.tensor(lengths)[:, None]).long()
    real, order = documents > 0, torch.tensor([0, 1, 1])
    expected, found = bert_outputs(theirs, model, documents)
    for mine, other in zip(found[:2], expected[:2], strict=True):
        assert other.std() > 0.5
        torch.testing.assert_close(mine[real], other[real], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found[2], expected[2], atol=1e-5, rtol=1e-5)
    for _, logits, follows in (found, expected):
        loss = F.cross_entropy(logits[real], texts(3)[real]) + F.cross_entropy(follows, order)
        loss.backward()
    same_gradients(model, theirs, "bert")
