"""Structural probes of a model, from its folder and a treebank to a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from seqloom.corpus.pairs import Progress
from seqloom.corpus.tagged import TaggedSentences
from seqloom.corpus.trees import Tree, read_treebank
from seqloom.errors import CorpusError
from seqloom.inspection.probe_record import RANDOM, SPLIT, TRAINED
from seqloom.inspection.recording import ReadableModel
from seqloom.inspection.states import hidden_states
from seqloom.inspection.structural import (
    LENGTHS,
    Sentence,
    Shape,
    Structure,
    chain_uuas,
    structural_probe,
    tree_distances,
)
from seqloom.inspection.structure_record import StructureRecord, StructureRun
from seqloom.inspector.probe_data import more_of
from seqloom.inspector.probe_parts import check_apart, parted
from seqloom.inspector.subject import Subject, Told

Layers = Mapping[str, np.ndarray]

_PUNCTUATION = "punct"
_LEAST = 10  # trees of each part


class Trees(NamedTuple):
    """The three parts that a structural probe needs."""

    train: list[Tree]
    validation: list[Tree]
    test: list[Tree]
    notes: list[str]
    """What is to be said of the files: sentences that the model cannot read, and so on."""


def read_trees(subject: Subject, treebank: Path, test: Path | None, words: int) -> Trees:
    """Trees that the model can read, in an order by lot.

    Args:
        subject: the model.
        treebank: what is learned from; a tenth of it decides when to stop.
        test: what is measured on; a fifth of ``treebank`` when left out.
        words: at most so many are learned from, and half as many measured on.

    Raises:
        CorpusError: no CoNLL-U, fewer than ten trees for a part, or ``test`` is ``treebank``.
        TokenizerError: most words are unknown to the model.
    """
    check_apart(treebank, test)
    order, notes = np.random.default_rng(0), list[str]()

    def read(path: Path) -> list[Tree]:
        kept, said = _readable(subject, path)
        notes.extend(said)
        return [kept[row] for row in order.permutation(len(kept))]

    whole, said = parted(read, lambda tree: tree.sentence, treebank, test)
    notes += said
    limits = words, words // 5, words // 2
    parts = [_until(trees, limit) for trees, limit in zip(whole, limits, strict=True)]
    for what, part, all_ in zip(("learn from", "stop by", "measure on"), parts, whole, strict=True):
        if len(part) < _LEAST:
            beside = "".join(f" ({note})" for note in notes)
            raise CorpusError(
                f"{treebank}: {len(part):,} trees are left to {what}; expected {_LEAST} or more. "
                f"{more_of(len(part) < len(all_))}.{beside}"
            )
    train, stop, measure = parts
    shortest, longest = LENGTHS
    if not any(shortest <= len(tree.heads) <= longest for tree in measure):
        raise CorpusError(
            f"{test or treebank}: no sentence to measure on has {shortest} to {longest} words, and "
            "rank correlations are those of such sentences. Give other sentences."
        )
    return Trees(train, stop, measure, notes)


def _readable(subject: Subject, path: Path) -> tuple[list[Tree], list[str]]:
    """The trees of a file that the model can read, and what is to be said of the others."""
    trees = [tree for tree in read_treebank(path).trees if len(tree.heads) > 1]
    found = subject.readable(TaggedSentences([tree.sentence for tree in trees], str(path)))
    readable = {id(each) for each in found.sentences}
    return [tree for tree in trees if id(tree.sentence) in readable], found.notes


def _until(trees: Sequence[Tree], words: int) -> list[Tree]:
    kept = list[Tree]()
    for tree in trees:
        words -= len(tree.heads)
        if words < 0:
            break
        kept.append(tree)
    return kept


def probe_structure(
    subject: Subject,
    trees: Trees,
    seeds: int = 5,
    checkpoints: bool = False,
    progress: Progress | None = None,
) -> StructureRecord:
    """Probe every layer for syntax trees, beside a model with random weights.

    Args:
        subject: the model.
        trees: sentences that the model can read.
        seeds: probes of a layer; each has a random model of its own.
        checkpoints: probe the kept checkpoints of the training run, too.
        progress: told how far it is.

    Raises:
        TokenizerError: a word that the tokenizer has no piece for.
        FolderError: checkpoints are asked for, and fewer than two are kept.
    """
    saved = subject.checkpoints() if checkpoints else {}
    parts = trees[:3]
    shapes = [[_shape(tree) for tree in part] for part in parts]
    trained = _read(subject, subject.model, parts)
    layers = list(trained[0])
    told = Told(progress, len(layers) * seeds * (2 + len(saved)))

    def run(name: str, states: Callable[[int], list[Layers]], update: int | None) -> StructureRun:
        found = [_probed(states(seed), shapes, seed, told) for seed in range(seeds)]
        by_layer = list(zip(*found, strict=True))
        uuas, spearman = (
            [[getattr(each, figure) for each in row] for row in by_layer]
            for figure in ("uuas", "spearman")
        )
        return StructureRun(name, uuas, spearman, update)

    def at(path: Path) -> Callable[[int], list[Layers]]:
        then = _read(subject, subject.at(path), parts)
        return lambda _: then

    runs = [
        run(TRAINED, lambda _: trained, None),
        run(RANDOM, lambda seed: _read(subject, subject.untrained(seed), parts), None),
        *(run(f"update {update:,}", at(path), update) for update, path in saved.items()),
    ]
    sizes = dict(zip(SPLIT, map(len, parts), strict=True))
    chain = chain_uuas(_sentences([each[layers[0]] for each in trained], shapes)[2])
    return StructureRecord(str(subject.folder or ""), layers, sizes, chain, runs)


def _read(subject: Subject, model: ReadableModel, parts: Sequence[Sequence[Tree]]) -> list[Layers]:
    """States of the words of every part."""
    sentences = [[tree.sentence for tree in part] for part in parts]
    return [hidden_states(model, subject.readings(each)) for each in sentences]


def _probed(
    states: Sequence[Layers], shapes: Sequence[Sequence[Shape]], seed: int, told: Told
) -> list[Structure]:
    """What one probe of each layer finds."""
    found = list[Structure]()
    for layer in states[0]:
        train, stop, measure = _sentences([each[layer] for each in states], shapes)
        found.append(structural_probe(train, stop, measure, seed))
        told.one()
    return found


def _shape(tree: Tree) -> Shape:
    counted = np.array([relation != _PUNCTUATION for relation in tree.sentence.tags])
    return Shape(torch.from_numpy(tree_distances(tree.heads)), counted, tree.heads)


def _sentences(
    vectors: Sequence[np.ndarray], shapes: Sequence[Sequence[Shape]]
) -> list[list[Sentence]]:
    """Trees with their words' vectors, moved and scaled so that those of training are small."""
    mean, spread = vectors[0].mean(0), vectors[0].std() + 1e-6
    made = list[list[Sentence]]()
    for each, trees in zip(vectors, shapes, strict=True):
        scaled = torch.from_numpy((each - mean) / spread)
        parted = torch.split(scaled, [len(shape.heads) for shape in trees])
        made.append([Sentence(part, shape) for part, shape in zip(parted, trees, strict=True)])
    return made
