"""Who takes part in the translation benchmark, and how each is started on the same work."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peers import FOLDER, HERE, Environment, PeerMissing, Side
from shapes import TRAINING, Shape, joeynmt_config, our_recipe

from seqloom.text.prepare import Prepared

WORK = FOLDER / "multi30k"
"""What the sides read and write."""

JOEYNMT, TRANSFORMERS, OURS = "JoeyNMT", "transformers", "Seqloom"
ENVIRONMENTS = {
    JOEYNMT: Environment(
        "joeynmt",
        ["joeynmt==2.3.0", "importlib_metadata"],  # which it imports and does not ask for
        "import joeynmt.prediction, joeynmt.training",
    ),
    TRANSFORMERS: Environment(
        "transformers", ["transformers==5.23.0"], "from transformers import MarianMTModel"
    ),
}


@dataclass(frozen=True)
class Contestant:
    """One program with one number type."""

    program: str
    precision: str

    @property
    def name(self) -> str:
        """For tables and logs."""
        return f"{self.program} {self.precision}"


CONTESTANTS = [
    Contestant(JOEYNMT, "float32"),
    Contestant(TRANSFORMERS, "float32"),
    Contestant(TRANSFORMERS, "bfloat16"),
    Contestant(OURS, "float32"),
    Contestant(OURS, "auto"),
]


def take_part(shape: Shape, present: Sequence[str]) -> list[Contestant]:
    """Who trains this model; transformers has no recurrent ones."""
    programs = [*present, OURS]
    if shape.recurrent and TRANSFORMERS in programs:
        programs.remove(TRANSFORMERS)
    return [each for each in CONTESTANTS if each.program in programs]


def write_pieces(prepared: Prepared, sentences: int) -> None:
    """The prepared pairs as text for the peers: a token is the number of a piece.

    Numbers instead of the pieces themselves, so that no rule about spaces, lines or Unicode can
    make two sides see different sequences.
    """

    def line(ids: Sequence[int]) -> str:
        return " ".join(map(str, ids)) + "\n"

    for name, store in (("train", prepared.train), ("validation", prepared.validation)):
        pairs = [store.pair(row) for row in range(len(store))]
        for side, language in enumerate(("en", "de")):
            text = "".join(line(pair[side]) for pair in pairs)
            (WORK / f"{name}.{language}").write_text(text, encoding="utf-8")
    sources = [prepared.validation.pair(row)[0] for row in range(sentences)]
    (WORK / "decode.en").write_text("".join(map(line, sources)), encoding="utf-8")
    # JoeyNMT puts its four special tokens before these, as Seqloom does.
    pieces = "".join(f"{index}\n" for index in range(4, prepared.tokenizers.source.size))
    (WORK / "vocabulary.txt").write_text(pieces, encoding="utf-8")


def start(
    who: Contestant, shape: Shape, data: Path, prepared: Prepared, threads: int,
    training: Mapping[str, Any] = TRAINING, **more: Any,
) -> Side:  # fmt: skip
    """A side's process; ``more`` is added to the first request."""
    script = {JOEYNMT: "joeynmt", TRANSFORMERS: "transformers", OURS: "seqloom"}[who.program]
    python = ENVIRONMENTS[who.program].python if who.program in ENVIRONMENTS else sys.executable
    recipe = json.loads(our_recipe(data, shape, who.precision, training).model_dump_json())
    request: dict[str, Any] = {
        JOEYNMT: {"config": joeynmt_config(WORK, shape, training)},
        TRANSFORMERS: {
            "folder": str(WORK), "vocabulary": prepared.tokenizers.source.size,
            "precision": who.precision, "model": recipe["model"], "training": recipe["training"],
        },
        OURS: {"prepared": str(prepared.folder), "recipe": recipe},
    }[who.program]  # fmt: skip
    return Side(
        who.name, [str(python), str(HERE / f"{script}_side.py")], threads, {**request, **more}
    )


def install() -> tuple[list[str], dict[str, str]]:
    """The peers that are there, and what the others said."""
    present, missing = [], {}
    for name, environment in ENVIRONMENTS.items():
        try:
            environment.make(torch.__version__)
            present.append(name)
        except PeerMissing as error:
            missing[name] = str(error)
            print(f"{name} takes no part: {error}")
    return present, missing
