"""A search that can be followed by hand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "decoding")]

from decoding_toys import garden_path

from seqloom.inspection.beam_record import BeamRecord
from seqloom.inspection.beam_recording import Asked, Reading, record_search
from seqloom.recipe import DecodingRecipe

NAMES = ["<pad>", "<s>", "</s>", "<unk>", "▁A", "▁<b>", "▁C", "▁D"]


def by_hand(
    forced: list[int] | None = None, asked: Asked | None = None, **values: Any
) -> BeamRecord:
    """The garden path: A (4) looks better than B (5) at first, and is not."""
    options = DecodingRecipe(**{"beam": 2, "alpha": 0.0, "max_tokens": 6, **values})
    reading = Reading(
        "a title with <b>",
        [5, 6, 7],
        lambda ids: [NAMES[i] for i in ids],
        lambda ids: " ".join(NAMES[i][1:] for i in ids),
        forced=forced,
    )
    return record_search(garden_path(), reading, options, asked or Asked(8))
