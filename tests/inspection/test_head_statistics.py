"""Sums of heads against loops over recorded maps, one text at a time; batched equals single."""

from __future__ import annotations

import math
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

sys.path.append(str(Path(__file__).parents[1] / "models"))

from architectures import RECIPES as ALL
from language_architectures import BERTS, GPTS, SYMBOLS, strong
from planted import SIZE, sentences

from seqloom.corpus.trees import Tree
from seqloom.inspection.attention_map import AttentionMap
from seqloom.inspection.head_reading import Text, batches, read
from seqloom.inspection.head_statistics import OFFSETS, RAREST, Statistics, Sums, counts_of
from seqloom.inspection.head_syntax import TO_DEPENDENT, TO_HEAD, Relation, Syntax, cases
from seqloom.inspection.recording import record_pair, record_text
from seqloom.models import build_language_model, build_model
from seqloom.models.base import EncoderDecoder, MaskedModel
from seqloom.recipe import RecurrentRecipe, TransformerRecipe

TEXTS = [
    Text(0, (5, 6, 7, 8, 9, 5), (10, 11, 12)),
    Text(1, (9, 9, 12, 6), (7, 8, 9, 10, 6, 5, 5)),
    Text(2, (7,), (6,)),
    Text(3, (20, 6, 6, 5, 11, 10, 9, 8, 21, 5, 6), (13, 14, 13, 13)),
]
RECIPES: list[Any] = [
    *(each for each in ALL[::5] if getattr(each, "attention", "") != "none"),
    *BERTS[3:5],
    *GPTS[8:14:2],
]


def model_of(recipe: Any) -> Any:
    torch.manual_seed(0)
    if isinstance(recipe, TransformerRecipe | RecurrentRecipe):
        return build_model(recipe, 30, 30).eval()
    return strong(recipe)


def counts(model: Any) -> dict[str, torch.Tensor]:
    sides = ("source", "target") if isinstance(model, EncoderDecoder) else ("text",)
    return {side: counts_of(TEXTS, side, 30) for side in sides}


def summed(model: Any, groups: list[list[Text]]) -> tuple[Statistics, list[int]]:
    statistics, order = Statistics(counts(model)), []
    for group in groups:
        statistics.add(read(model, group))
        order += [text.number for text in group]
    return statistics, order


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_batched_equals_single(recipe: Any) -> None:
    model = model_of(recipe)
    single, _ = summed(model, [[text] for text in TEXTS])
    together, order = summed(model, [TEXTS])
    assert list(single.parts) == list(together.parts)
    for path, part in single.parts.items():
        one, other = single.of(path), together.of(path)
        for field in fields(Sums):
            a, b = getattr(one, field.name), getattr(other, field.name)[np.argsort(order)]
            np.testing.assert_allclose(a, b, atol=2e-4, err_msg=f"{path} {field.name}")
        assert single.kinds(part) == together.kinds(part)


def maps(model: Any, text: Text) -> list[AttentionMap]:
    """The maps of one text by the recording that pages are drawn from."""
    if isinstance(model, EncoderDecoder):
        tokens = {"source": [""] * len(text.source), "target": [""] * len(text.target)}
        return record_pair(model, text.source, text.target, tokens).maps
    ids = [model.symbols.begin, *text.source]
    if isinstance(model, MaskedModel):
        ids.append(model.symbols.end)
    return record_text(model, ids, [""] * len(ids)).maps


def sides(model: Any, text: Text, part: str) -> tuple[list[int | None], list[int | None]]:
    """Ids of rows and columns; None for symbols around the text."""
    source: list[int | None] = [*text.source, None]
    read: list[int | None] = [None, *text.target]
    if part == "text":
        both = [None, *text.source, *([None] if isinstance(model, MaskedModel) else [])]
        return both, both
    rows = {"encoder": source, "decoder": read, "cross": [*text.target, None]}[part]
    return rows, read if part == "decoder" else source


def only_largest(weights: dict[int, float]) -> int | None:
    best = max(weights, key=lambda column: weights[column])
    second = max((w for c, w in weights.items() if c != best), default=-1.0)
    return best if weights[best] - second > 1e-6 else None


def by_hand(model: Any, text: Text, each: AttentionMap, head: int, seen: Any) -> dict[str, Any]:
    """The sums of one text as their definitions read, in loops."""
    rows, columns = sides(model, text, each.part)
    side = {"decoder": "target", "text": "text"}.get(each.part, "source")
    occurs = counts(model)[side]
    found: dict[str, Any] = dict.fromkeys(("rows", "confidence", "spread", "rest"), 0.0)
    found |= {"possible": [0] * 11, "positions": [0] * 11}
    found |= {"chosen": [0, 0], "chance": [0.0, 0.0], "rare": [0, 0]}
    for row, token in enumerate(rows):
        visible = [column for column in range(len(columns)) if seen(row, column)]
        words = [column for column in visible if columns[column] is not None]
        if token is None or len(words) < 2:
            continue
        weights = {column: float(each.weights[head, row, column]) for column in visible}
        inside = {column: weights[column] for column in words}
        found["rows"] += 1
        found["confidence"] += max(inside.values())
        entropy = -sum(w * math.log(w) for w in weights.values() if w > 0)
        found["spread"] += entropy / math.log(len(visible))
        found["rest"] += sum(w for c, w in weights.items() if columns[c] is None)
        for index, offset in enumerate(OFFSETS):
            if row + offset in visible:
                found["possible"][index] += 1
                found["positions"][index] += only_largest(weights) == row + offset
        frequency = {column: int(occurs[columns[column]]) for column in words}
        for index, many in enumerate(RAREST):
            bound = sorted(frequency.values())[many - 1]
            rarest = {column for column in words if frequency[column] <= bound}
            if 2 * len(rarest) <= len(words):
                found["chosen"][index] += 1
                found["chance"][index] += len(rarest) / len(words)
                found["rare"][index] += only_largest(inside) in rarest
    return found


@pytest.mark.parametrize("recipe", RECIPES[::2], ids=str)
def test_sums_equal_loops(recipe: Any) -> None:
    model = model_of(recipe)
    statistics, order = summed(model, [TEXTS])
    window = getattr(recipe, "window", None)
    for text in TEXTS:
        for each in maps(model, text):
            causal = each.part == "decoder" or getattr(recipe, "family", "") == "gpt"

            def seen(row: int, column: int, causal: bool = causal) -> bool:
                near = window is None or row - column < window
                return not causal or (column <= row and near)

            sums = statistics.of(each.path)
            place = order.index(text.number)
            for head in range(len(each.weights)):
                expected = by_hand(model, text, each, head, seen)
                for name, value in expected.items():
                    ours = getattr(sums, name)[place]
                    if name not in ("rows", "possible", "chosen", "chance"):
                        ours = ours[head]
                    np.testing.assert_allclose(ours, value, atol=2e-4, err_msg=name)


def test_batches_hold_every_text_once_and_bound_their_size() -> None:
    texts, _, _ = sentences(700)
    model = model_of(RECIPES[0])
    found = list(batches(texts, model))
    assert sorted(text.number for batch in found for text in batch) == list(range(700))
    assert len(found) > 1
    longest = [max(len(text.source) for text in batch) for batch in found]
    assert longest == sorted(longest, reverse=True)


def test_cases_of_a_tree() -> None:
    _, [tree], _ = sentences(1)
    found = cases(tree)
    heads = [case for case in found if case.relation.direction == TO_HEAD]
    assert len(heads) == len(tree.heads) - 1
    root = tree.heads.index(-1)
    [conj] = [case for case in found if case.relation == Relation("conj", TO_DEPENDENT)]
    assert conj.looker == root
    assert set(conj.targets) == {w for w, name in enumerate(tree.sentence.tags) if name == "conj"}


def naive_syntax(model: Any, texts: list[Text], trees: list[Tree], firsts: Any) -> dict[Any, Any]:
    """Hits, offsets and others of every relation, word by word."""
    found: dict[Any, Any] = {}
    for text, tree, starts in zip(texts, trees, firsts, strict=True):
        size = len(tree.heads)
        best = []
        for each in (m for m in maps(model, text) if m.part in ("encoder", "text")):
            end = len(text.source) + starts[0]
            spans = list(zip(starts, [*starts[1:], end], strict=True))
            for weights in each.weights:
                head = []
                for a, b in spans:
                    shares = {
                        word: float(weights[a:b, c:d].sum(axis=1).mean())
                        for word, (c, d) in enumerate(spans)
                        if each.part == "encoder" or word <= len(head)
                    }
                    head.append(only_largest(shares))
                best.append(head)
        causal = not isinstance(model, EncoderDecoder)
        for case in cases(tree):
            seen = [t for t in case.targets if not causal or t <= case.looker]
            if not seen:
                continue
            hits, rates, offsets = found.setdefault(case.relation, ([], [], []))
            hits.append([head[case.looker] in seen for head in best])
            offsets.append([case.looker + offset in seen for offset in OFFSETS])
            near = {
                n for t in seen for n in range(size) if tree.heads[n] == t or tree.heads[t] == n
            }
            others = [
                n
                for n in range(size)
                if n not in near and n not in seen and n != case.looker
                and (not causal or any(t <= n for t in seen))
            ]  # fmt: skip
            rates.append(
                [np.mean([head[n] in seen for n in others]) if others else np.nan for head in best]
            )
    return found


@pytest.mark.parametrize("family", ["transformer", "gpt"])
def test_syntax_equals_loops_over_words_of_several_pieces(family: str) -> None:
    texts, trees, _ = sentences(12, seed=3)
    cut, starts = [], []
    for text in texts:  # every third word has two pieces
        ids, places = [], []
        for number, each in enumerate(text.source):
            places.append(len(ids))
            ids += [each, 5] if number % 3 == 0 else [each]
        cut.append(Text(text.number, tuple(ids), tuple(ids)))
        starts.append([place + (family == "gpt") for place in places])
    if family == "gpt":
        model: Any = strong(GPTS[0])
        model = build_language_model(GPTS[0].model_copy(update={"context": 64, "window": None}),
                                     SIZE, SYMBOLS).eval()  # fmt: skip
    else:
        torch.manual_seed(5)
        model = build_model(TransformerRecipe(width=16, feedforward=8, heads=2), SIZE, SIZE).eval()
    syntax = Syntax()
    for group in (cut[:5], cut[5:]):
        numbers = [text.number for text in group]
        looks = read(model, group)
        syntax.add(looks, [trees[n] for n in numbers], numbers, [starts[n] for n in numbers])
    found = syntax.found()
    expected = naive_syntax(model, cut, trees, starts)
    assert {str(each) for each in found} == {str(each) for each in expected}
    for relation, (hits, rates, offsets) in expected.items():
        ours = found[relation]
        np.testing.assert_array_equal(ours.hits, hits)
        np.testing.assert_array_equal(ours.offsets, offsets)
        np.testing.assert_allclose(ours.others, rates, atol=1e-6)
