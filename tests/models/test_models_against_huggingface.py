"""Our Transformer equals Hugging Face's Marian, M2M100 and BART on the same random weights.

Nothing is downloaded. Weights go through the table of names of the export, which must be one to
one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seqloom.export import seq2seq
from seqloom.models import EncoderDecoder, build_model
from seqloom.recipe import TransformerRecipe

transformers = pytest.importorskip("transformers")

WIDTH, INNER, HEADS, ENCODER, DECODER, VOCABULARY, PAD = 16, 20, 4, 2, 3, 40, 1
BART_OFFSET = 2
"""BART's tables of learned positions begin with two rows that are never read."""


class Case(NamedTuple):
    """A model of theirs, and the same in our words."""

    config: str
    model: str
    options: dict[str, Any]
    recipe: dict[str, Any]


CASES = {
    "marian": Case(
        "MarianConfig",
        "MarianMTModel",
        {"activation_function": "swish", "scale_embedding": True},
        {"norm": "post", "activation": "silu", "positions": "sinusoidal"},
    ),
    "marian-separate": Case(
        "MarianConfig",
        "MarianMTModel",
        {
            "activation_function": "relu",
            "scale_embedding": False,
            "share_encoder_decoder_embeddings": False,
            "decoder_vocab_size": 33,
        },
        {"norm": "post", "activation": "relu", "scale_embedding": False, "tie": "target"},
    ),
    "m2m100": Case(
        "M2M100Config",
        "M2M100ForConditionalGeneration",
        {"activation_function": "relu", "scale_embedding": True},
        {"norm": "pre", "activation": "relu", "positions": "fairseq"},
    ),
    "bart": Case(
        "BartConfig",
        "BartForConditionalGeneration",
        {"activation_function": "gelu", "scale_embedding": False},
        {
            "norm": "post",
            "activation": "gelu",
            "positions": "learned",
            "normalize_embedding": True,
            "scale_embedding": False,
        },
    ),
}


def names(recipe: TransformerRecipe) -> dict[str, str]:
    """Every parameter of ours -> the parameter of theirs that fills it."""
    return {link.ours[0]: link.theirs for link in seq2seq.links(recipe)}


def matching(ours: str, theirs: Tensor) -> Tensor:
    """The part of their tensor that ours stands for."""
    return theirs[BART_OFFSET:] if ours.endswith("positions.table") else theirs


def build_theirs(case: Case) -> nn.Module:
    """Their model with random weights large enough that an error anywhere shows in the logits."""
    config = getattr(transformers, case.config)(
        vocab_size=VOCABULARY,
        d_model=WIDTH,
        encoder_layers=ENCODER,
        decoder_layers=DECODER,
        encoder_attention_heads=HEADS,
        decoder_attention_heads=HEADS,
        encoder_ffn_dim=INNER,
        decoder_ffn_dim=INNER,
        max_position_embeddings=30,
        pad_token_id=PAD,
        eos_token_id=2,
        decoder_start_token_id=2,
        forced_eos_token_id=2,
        **case.options,
    )
    model = getattr(transformers, case.model)(config).eval()
    generator = torch.Generator().manual_seed(1)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:  # Marian's sinusoids are a parameter that is not learned
            parameter.data.normal_(0, 0.3, generator=generator)
            if "norm" in name and name.endswith("weight"):
                parameter.data += 1
    return model


def build_pair(case: Case) -> tuple[nn.Module, EncoderDecoder, dict[str, str]]:
    """Their model, ours with the same weights, and the table of names between them."""
    theirs = build_theirs(case)
    recipe = TransformerRecipe(
        **{"tie": "all", **case.recipe},
        width=WIDTH,
        feedforward=INNER,
        heads=HEADS,
        encoder_layers=ENCODER,
        decoder_layers=DECODER,
        max_positions=30,
    )
    ours = build_model(recipe, VOCABULARY, case.options.get("decoder_vocab_size", VOCABULARY))
    table = names(recipe)
    mine = dict(ours.named_parameters())
    other = {name: p for name, p in theirs.named_parameters() if p.requires_grad}
    assert sorted(table) == sorted(mine)
    assert sorted(table.values()) == sorted(other)
    for name, parameter in mine.items():
        parameter.data.copy_(matching(name, other[table[name]].data))
    return theirs, ours.eval(), table


def batch() -> tuple[Tensor, Tensor, Tensor]:
    """Source ids, their mask, and decoder input; rows of 9, 4 and 1 real source tokens."""
    generator = torch.Generator().manual_seed(2)
    source = torch.randint(4, 33, (3, 9), generator=generator)
    source[1, 4:] = PAD
    source[2, 1:] = PAD
    return source, source != PAD, torch.randint(4, 33, (3, 6), generator=generator)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_logits_and_gradients_are_equal(case: Case) -> None:
    theirs, ours, table = build_pair(case)
    source, mask, target = batch()
    expected = theirs(
        input_ids=source, attention_mask=mask.long(), decoder_input_ids=target, use_cache=False
    ).logits
    logits = ours.project(ours.decode(ours.encode(source, mask), target))
    assert expected.std() > 0.5
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-5)

    wanted = torch.randint(0, 33, (18,), generator=torch.Generator().manual_seed(3))
    for output in (expected, logits):
        F.cross_entropy(output.flatten(0, 1), wanted).backward()
    other = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        gradient = matching(name, other[table[name]].grad)
        torch.testing.assert_close(parameter.grad, gradient, atol=1e-5, rtol=1e-4, msg=name)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@torch.no_grad()
def test_encoder_states_are_equal(case: Case) -> None:
    theirs, ours, _ = build_pair(case)
    source, mask, _ = batch()
    expected = theirs.model.encoder(input_ids=source, attention_mask=mask.long())[0]
    states = ours.encode(source, mask).states
    torch.testing.assert_close(states[mask], expected[mask], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@torch.no_grad()
def test_greedy_outputs_are_equal(case: Case) -> None:
    theirs, ours, _ = build_pair(case)
    source, mask, _ = batch()
    memory = ours.encode(source, mask)
    state, last, outputs = ours.start(memory), torch.full((3,), 2), []
    for _ in range(8):
        hidden, state = ours.step(memory, state, last)
        last = ours.project(hidden).argmax(dim=-1)
        outputs.append(last)
    decoded = torch.full((3, 1), 2)
    for _ in range(8):
        logits = theirs(
            input_ids=source, attention_mask=mask.long(), decoder_input_ids=decoded
        ).logits
        decoded = torch.cat([decoded, logits[:, -1:].argmax(dim=-1)], dim=1)
    assert torch.stack(outputs, dim=1).tolist() == decoded[:, 1:].tolist()
