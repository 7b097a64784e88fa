"""Planted heads are found, all of them and nothing else; heads of random weights have no role."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from planted import (
    HEADS,
    PREVIOUS,
    RARE,
    RELATION,
    SIZE,
    counts,
    plant,
    planted_reader,
    planted_translator,
    sentences,
)

sys.path.append(str(Path(__file__).parents[1] / "models"))

from seqloom.inspection.head_reading import batches, read
from seqloom.inspection.head_roles import CASES, Evidence, Head, heads_of
from seqloom.inspection.head_statistics import Statistics, counts_of
from seqloom.inspection.head_syntax import Syntax
from seqloom.inspection.heads_record import HeadsRecord
from seqloom.inspection.recording import ReadableModel
from seqloom.models import build_language_model, build_model
from seqloom.recipe import RecurrentRecipe, TransformerRecipe
from seqloom.recipe.language import BertRecipe, GptRecipe
from seqloom.symbols import Symbols


def heads(model: ReadableModel, material: Any, skipped: int) -> list[Head]:
    """All heads; ``skipped`` symbols stand in front of the words."""
    texts, trees, firsts = material
    sides = {side: counts_of(texts, side, SIZE) for side in ("source", "target", "text")}
    statistics, syntax = Statistics(sides), Syntax()
    for batch in batches(texts, model):
        looks = read(model, batch)
        statistics.add(looks)
        numbers = [text.number for text in batch]
        places = [[skipped + first for first in firsts[number]] for number in numbers]
        syntax.add(looks, [trees[number] for number in numbers], numbers, places)
    return heads_of(statistics, syntax.found(), syntax.paths)


def told(found: list[Head]) -> dict[tuple[str, int], list[str]]:
    return {
        (head.part, head.head): sorted(each.name for each in head.accepted)
        for head in found
        if head.accepted
    }


RARELY = ["the 2 rarest tokens", "the rarest token"]


def test_planted_heads_of_a_translator() -> None:
    material = sentences(120)
    found = heads(planted_translator(counts(material[0])), material, 0)
    assert len(found) == 3 * HEADS
    assert told(found) == {
        ("encoder", PREVIOUS): ["offset -1"],
        ("encoder", RARE): RARELY,
        ("encoder", RELATION): ["amod, to the head"],
        ("decoder", PREVIOUS): ["offset -1"],
        ("decoder", RARE): RARELY,
        ("cross", PREVIOUS): ["offset 0"],
        ("cross", RARE): RARELY,
    }
    by_place = {(head.part, head.head): head for head in found}
    previous = by_place["encoder", PREVIOUS]
    assert previous.roles == ["positional"]
    assert previous.confidence.value > 0.9
    assert previous.spread.value < 0.1
    evidence = previous.accepted[0]
    assert (evidence.value, evidence.bar, evidence.high) == (1, 0.9, 1)
    nothing = by_place["encoder", 3]
    assert nothing.spread.value == pytest.approx(1, abs=1e-5)
    relation = by_place["encoder", RELATION].accepted[0]
    assert relation.value == 1
    other = relation.against["other words"]
    assert other.value < 0.1
    assert other.low < other.value < other.high < 0.2
    [offset] = (part for name, part in relation.against.items() if name.startswith("offset"))
    assert 0 < other.n <= relation.n == offset.n
    assert offset.low < offset.value < offset.high


@pytest.mark.parametrize("family", ["bert", "gpt"])
def test_planted_heads_of_a_reader(family: str) -> None:
    material = sentences(150)
    found = heads(planted_reader(family, counts(material[0])), material, 1)
    assert told(found) == {
        ("text", PREVIOUS): ["offset -1"],
        ("text", RARE): RARELY,
        ("text", RELATION): ["amod, to the head"],
    }


def test_a_planted_head_may_look_for_dependents() -> None:
    material = sentences(120)
    occurs = counts(material[0])
    model = planted_translator(occurs)
    plant(model.encoder.layers[0].self_attention, occurs, up=False)
    found = told(heads(model, material, 0))
    assert found["encoder", RELATION] == ["amod, to the dependent"]


def random_model(seed: int) -> tuple[Any, int]:
    torch.manual_seed(seed)
    if seed % 4 == 0:
        recipe = TransformerRecipe(
            width=32, feedforward=32, norm="post", positions=["rotary", "sinusoidal"][seed // 4 % 2]
        )
        return build_model(recipe, SIZE, SIZE), 0
    if seed % 4 == 1:
        return build_model(RecurrentRecipe(embedding=16, width=16), SIZE, SIZE), 0
    family: Any = BertRecipe if seed % 4 == 2 else GptRecipe
    positions = ["rotary", "learned"][seed // 4 % 2]
    recipe = family(width=32, feedforward=32, layers=3, positions=positions)
    model = build_language_model(recipe, SIZE, Symbols(mask=4))
    if seed % 3:
        for parameter in model.parameters():  # strong preferences, of no use
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.5)
    return model, 1


@pytest.mark.parametrize("seed", range(8))
def test_heads_of_random_weights_have_no_role(seed: int) -> None:
    model, skipped = random_model(seed)
    found = heads(model, sentences(100, seed), skipped)
    assert told(found) == {}


def test_a_role_needs_cases() -> None:
    """Of the same planted heads, a few sentences prove nothing."""
    material = sentences(8)
    found = heads(planted_translator(counts(material[0])), material, 0)
    assert told(found) == {}
    few = [each for head in found for each in head.evidence if each.n < CASES]
    assert few
    assert not any(each.enough for each in few)


def test_a_head_that_looks_at_one_word_from_everywhere_follows_no_relation() -> None:
    """Every sentence ends with a stop that hangs on its root, as treebanks have it."""
    texts, trees, firsts = sentences(150)
    stop = SIZE - 1  # a noun that is taken out of use
    material: Any = ([], [], firsts)
    for text, tree in zip(texts, trees, strict=True):
        ids = tuple(each if each != stop else stop - 1 for each in text.source)
        row = tree.sentence
        root = tree.heads.index(-1)
        forms = (*row.words, ".")
        tags, joined = (*row.tags, "punct"), (*row.joined, True)
        material[0].append(text._replace(source=(*ids, stop), target=(*ids, stop)))
        sentence = row._replace(words=forms, tags=tags, joined=joined)
        material[1].append(tree._replace(sentence=sentence, heads=(*tree.heads, root)))
    material = (material[0], material[1], [[*f, len(f)] for f in firsts])
    occurs = torch.full((SIZE,), 100)
    occurs[stop] = 1  # what the planted head looks at
    found = heads(planted_translator(occurs), material, 0)
    head = next(h for h in found if (h.part, h.head) == ("encoder", RARE))
    evidence = next(each for each in head.evidence if each.name == "punct, to the dependent")
    assert evidence.value == 1
    assert evidence.against["other words"].value == 1
    assert not any(each.role == "syntactic" for each in head.accepted)


def test_intervals_hold_the_figure_and_correction_lowers_the_floor() -> None:
    material = sentences(60)
    for head in heads(random_model(2)[0], material, 1):
        for each in head.evidence:
            assert each.floor <= each.low <= each.value <= each.high
        for mean in (head.confidence, head.spread, head.rest):
            assert 0 <= mean.low <= mean.value <= mean.high <= 1 + 1e-6
        assert HeadsRecord.from_dict(HeadsRecord([head], 60).as_dict()).heads == [head]


def test_roles_are_told_in_short() -> None:
    figures: Any = (1.0, 0.9, 1.0, 99, 0.9, 0.5, True)
    assert Evidence("positional", "offset -1", *figures).short == "-1"
    assert Evidence("syntactic", "nsubj, to the head", *figures).short == "nsubj↑"
    assert Evidence("syntactic", "obj, to the dependent", *figures).short == "obj↓"
    assert Evidence("rare token", "the rarest token", *figures).short == "rare"


def test_random_roles_do_not_depend_on_the_order_of_texts() -> None:
    texts, trees, firsts = sentences(80)
    model, skipped = random_model(0)
    one = heads(model, (texts, trees, firsts), skipped)
    order = list(range(len(texts)))[::-1]
    turned = [texts[n]._replace(number=k) for k, n in enumerate(order)]
    other = heads(model, (turned, [trees[n] for n in order], [firsts[n] for n in order]), skipped)
    for a, b in zip(one, other, strict=True):
        assert [each.value for each in a.evidence] == pytest.approx(
            [each.value for each in b.evidence]
        )
        np.testing.assert_allclose(a.confidence.value, b.confidence.value, rtol=1e-5)
