"""One of the processes that ``benchmarks/growth.py`` starts: seconds for one target token.

All of them train one model together. What the group prints, the first process prints.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import torch
from growth import CPU, RECIPE, model_of
from store_open import VOCABULARY

from seqloom.corpus.store import TokenStore
from seqloom.runtime import faster_precision, keep_memory, set_threads
from seqloom.training.batches import PairFeed
from seqloom.training.distributed import Group, joined
from seqloom.training.loop import Trainer
from seqloom.training.progress import Progress
from seqloom.training.tasks import Translation

WARM_UP, UPDATES = 4, 24


def train(group: Group, store: TokenStore, updates: int) -> float:
    """Seconds a target token of all processes together."""
    recipe = RECIPE.training.model_copy(
        update={
            "updates": updates, "validate_every": updates, "precision": faster_precision(CPU),
        }
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model_of(VOCABULARY), task=Translation(recipe),
            feed=PairFeed(store, recipe.batch_tokens, recipe.seed), recipe=recipe,
            folder=Path(folder), validate=lambda _: {"bleu": 0.0}, publish=lambda *_: None,
            progress=Progress(), device=CPU, group=group,
        )  # fmt: skip
        state = trainer.fit()
        group.wait()
    return state.seconds / state.tokens


def main() -> None:
    """Join the group, train, tell."""
    set_threads()
    keep_memory()
    store = TokenStore.open(Path(sys.argv[1]) / "train.arrow")
    with joined(torch.device("cpu")) as group:
        train(group, store, WARM_UP)
        seconds = train(group, store, UPDATES)
        if group.first:
            print(seconds)


if __name__ == "__main__":
    main()
