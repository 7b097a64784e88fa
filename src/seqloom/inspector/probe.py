"""What each layer of a model knows of a property: from its folder and a treebank to a record.

The encoder of a translator is probed, or the one stack of a language model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from seqloom.corpus.pairs import Progress
from seqloom.inspection.probe_record import CONTROL, RANDOM, SPLIT, TASK, TRAINED, ProbeRecord, Run
from seqloom.inspection.probing import Kind, Part, probe
from seqloom.inspection.states import Reading, hidden_states
from seqloom.inspector.probe_data import Asked, Integers, Question
from seqloom.inspector.subject import Subject, Told

Layers = Mapping[str, np.ndarray]


class Settings(NamedTuple):
    """How a model is probed."""

    kinds: tuple[Kind, ...]
    seeds: int = 5
    checkpoints: bool = False
    """Probe the kept checkpoints of the training run, too."""


def probe_model(
    subject: Subject, question: Question, settings: Settings, progress: Progress | None = None
) -> ProbeRecord:
    """Probe every layer for a property.

    Beside the model's states (and those of each checkpoint) for the task stand the control task,
    and a model of the same architecture with random weights, drawn anew for each seed.

    Args:
        subject: the model.
        question: the property, and sentences that the model can read.
        settings: kinds of probes, seeds, checkpoints.
        progress: told how far it is.

    Raises:
        TokenizerError: a word that the tokenizer has no piece for.
        FolderError: checkpoints are asked for, and fewer than two are kept.
    """
    saved = subject.checkpoints() if settings.checkpoints else {}
    readings = [subject.readings(part.sentences, part.whole) for part in _parts(question)]
    seeds = list(range(settings.seeds))
    trained: list[Layers] = [hidden_states(subject.model, each) for each in readings]
    layers = list(trained[0])
    told = Told(progress, len(layers) * len(settings.kinds) * (3 + 2 * len(saved)))
    task = [question.numbers(part) for part in _parts(question)]
    lots = [question.control(seed) for seed in seeds]
    control: list[Integers] = [np.stack(each) for each in zip(*lots, strict=True)]
    random = [_random(subject, each, seeds) for each in readings]
    plan: list[tuple[str, str, list[Layers], list[Integers]]] = [
        (TRAINED, TASK, trained, task),
        (TRAINED, CONTROL, trained, control),
        (RANDOM, TASK, random, task),
    ]
    runs = [run for each in plan for run in _runs(*each, question, settings.kinds, seeds, told)]
    for update, path in saved.items():
        states = [hidden_states(subject.at(path), each) for each in readings]
        name = f"update {update:,}"
        for which, labels in ((TASK, task), (CONTROL, control)):
            made = _runs(name, which, states, labels, question, settings.kinds, seeds, told)
            runs += [replace(run, update=update) for run in made]
    return ProbeRecord(
        question.name,
        str(subject.folder or ""),
        question.classes,
        layers,
        {name: len(part) for name, part in zip(SPLIT, _parts(question), strict=True)},
        question.baselines,
        runs,
    )


def _parts(question: Question) -> tuple[Asked, Asked, Asked]:
    return question.train, question.validation, question.test


def _random(subject: Subject, readings: Sequence[Reading], seeds: Sequence[int]) -> Layers:
    """States of a fresh model for each seed: layer -> [P n D]."""
    found = list[Layers]()
    for seed in seeds:
        found.append(hidden_states(subject.untrained(seed), readings))
    return {layer: np.stack([each[layer] for each in found]) for layer in found[0]}


def _runs(
    states_of: str,
    labels_of: str,
    parts: Sequence[Layers],
    labels: Sequence[Integers],
    question: Question,
    kinds: Sequence[Kind],
    seeds: Sequence[int],
    told: Told,
) -> Iterator[Run]:
    """The figures of every layer, a run a kind of probe."""
    for kind in kinds:
        accuracy, bits = list[list[float]](), list[list[float]]()
        for layer in parts[0]:
            train, stop, test = _standardised([each[layer] for each in parts], labels)
            groups, classes = question.train.groups, len(question.classes)
            found = probe(kind, train, stop, test, groups, classes, seeds)
            accuracy.append(found.accuracy)
            bits.append(found.bits)
            told.one()
        yield Run(states_of, labels_of, kind, accuracy, bits)


def _standardised(vectors: Sequence[np.ndarray], labels: Sequence[Integers]) -> list[Part]:
    """Three parts, each number of a vector with mean 0 and deviation 1 in the training part."""
    mean = vectors[0].mean(axis=-2, keepdims=True)
    spread = vectors[0].std(axis=-2, keepdims=True) + 1e-6
    found = list[Part]()
    for number, (each, own) in enumerate(zip(vectors, labels, strict=True)):
        scaled = (each - mean) / spread
        if number == 1 and own.ndim == 1:
            # A class that was not learned says nothing of when to stop.
            scaled, own = scaled[..., own >= 0, :], own[own >= 0]
        found.append(Part(torch.from_numpy(scaled), torch.from_numpy(own)))
    return found
