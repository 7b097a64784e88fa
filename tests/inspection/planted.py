"""Models whose heads do one known thing each, because their weights are set by hand.

A token's vector has a 1 at the place of its id and a 1 at that of its position, so that a norm
does the same to all of them, and a head's queries and keys can be written down: codes in the head's
K dimensions that match where the head is to look.
"""

from __future__ import annotations

import random
from typing import Any

import torch
from torch import Tensor, nn

from seqloom.corpus.tagged import TaggedSentence
from seqloom.corpus.trees import Tree
from seqloom.inspection.head_reading import Text
from seqloom.layers.attention import MultiHeadAttention
from seqloom.models import build_language_model, build_model
from seqloom.recipe import TransformerRecipe
from seqloom.recipe.language import BertRecipe, GptRecipe
from seqloom.symbols import Symbols

PAIRS = 16
"""Adjectives and their nouns: adjective i depends on noun i."""
FIRST = 5
SIZE = FIRST + 2 * PAIRS
LONGEST = 27
WIDTH = SIZE + LONGEST  # 64: 4 heads of 16
HEADS = 4
PREVIOUS, RARE, RELATION, NOTHING = range(HEADS)
SHARP = 400.0


def sentences(count: int, seed: int = 1) -> tuple[list[Text], list[Tree], list[list[int]]]:
    """Words in any order; each adjective has its noun somewhere, the first noun is the root."""
    chance = random.Random(seed)
    texts, trees, firsts = [], [], []
    for number in range(count):
        pairs = chance.sample(range(PAIRS), k=chance.randint(4, 8))
        # Ids of low numbers are frequent, so that there is a rarest token.
        words = [(kind, pair) for pair in pairs for kind in ("a", "n")]
        chance.shuffle(words)
        places = {word: place for place, word in enumerate(words)}
        root = next(place for place, (kind, _) in enumerate(words) if kind == "n")
        heads = [places["n", pair] if kind == "a" else root for kind, pair in words]
        heads[root] = -1
        names = ["amod" if kind == "a" else "conj" for kind, _ in words]
        names[root] = "root"
        forms = tuple(f"{kind}{pair}" for kind, pair in words)
        row = TaggedSentence(forms, tuple(names), (False,) * len(words), f"line {number}")
        trees.append(Tree(row, tuple(heads)))
        ids = tuple(FIRST + pair + PAIRS * (kind == "n") for kind, pair in words)
        texts.append(Text(number, ids, ids))
        firsts.append(list(range(len(ids))))
    return texts, trees, firsts


def counts(texts: list[Text]) -> Tensor:
    return torch.bincount(torch.tensor([each for t in texts for each in t.source]), minlength=SIZE)


def codes(number: int, width: int, seed: int) -> Tensor:
    """Nearly orthogonal directions that add up to nothing [number width]."""
    torch.manual_seed(seed)
    found = nn.functional.normalize(torch.randn(number, width), dim=-1)
    return found - found.mean(dim=0)


@torch.no_grad()
def plant(attention: MultiHeadAttention, occurs: Tensor, offset: int = -1, up: bool = True) -> None:
    """Give the heads of a layer that reads such vectors their roles.

    ``up``: adjectives look for their nouns; else nouns for their adjectives.
    """
    width = attention.head_width
    for linear in (attention.query, attention.key):
        linear.weight.zero_()
        linear.bias.zero_()

    def part(linear: nn.Linear, head: int) -> Tensor:
        return linear.weight[head * width : (head + 1) * width]

    places = codes(LONGEST, width, 1)
    part(attention.key, PREVIOUS)[:, SIZE:] = places.T
    part(attention.query, PREVIOUS)[:, SIZE:] = SHARP * places.roll(-offset, dims=0).T
    # Of two that are equally rare, the one of the higher id.
    rarity = torch.arange(SIZE) / 1e5 - occurs.clamp(min=1).float().log()
    rarity[:FIRST] = rarity[FIRST:].min()  # symbols are no rare tokens
    part(attention.key, RARE)[0, :SIZE] = rarity - rarity.mean()
    attention.query.bias[RARE * width] = SHARP
    pairs = codes(PAIRS, width, 2)
    looking, wanted = (FIRST, FIRST + PAIRS) if up else (FIRST + PAIRS, FIRST)
    part(attention.query, RELATION)[:, looking : looking + PAIRS] = SHARP * pairs.T
    part(attention.key, RELATION)[:, wanted : wanted + PAIRS] = pairs.T


@torch.no_grad()
def embed(tokens: nn.Embedding, table: Tensor) -> None:
    tokens.weight.copy_(torch.eye(WIDTH)[:SIZE])
    table.zero_()
    table[:LONGEST] = torch.eye(WIDTH)[SIZE:]


def planted_translator(occurs: Tensor) -> Any:
    """Encoder, decoder and cross-attention of one layer each."""
    recipe = TransformerRecipe(
        width=WIDTH, heads=HEADS, feedforward=8, encoder_layers=1, decoder_layers=1,
        positions="learned", max_positions=LONGEST, scale_embedding=False, tie="all",
    )  # fmt: skip
    torch.manual_seed(0)
    model: Any = build_model(recipe, SIZE, SIZE).eval()
    embed(model.encoder.embedder.tokens, model.encoder.embedder.positions.table.data)
    embed(model.decoder.embedder.tokens, model.decoder.embedder.positions.table.data)
    encoder, decoder = model.encoder.layers[0], model.decoder.layers[0]
    plant(encoder.self_attention, occurs)
    plant(decoder.self_attention, occurs)
    plant(decoder.cross_attention, occurs, offset=0)
    with torch.no_grad():  # what is read reaches the next layer as it is
        for block in (encoder, decoder):
            block.feedforward.outer.weight.zero_()
            block.self_attention.output.weight.zero_()
    return model


def planted_reader(family: str, occurs: Tensor) -> Any:
    """One layer of a BERT or a GPT."""
    recipe: Any = BertRecipe if family == "bert" else GptRecipe
    model: Any = build_language_model(
        recipe(width=WIDTH, heads=HEADS, feedforward=8, layers=1, context=LONGEST),
        SIZE,
        Symbols(mask=4),
    ).eval()
    embed(model.tokens, model.positions.table.data)
    plant(model.layers[0].self_attention, occurs)
    if family == "bert":
        model.segments.weight.data.zero_()
    return model
