"""Train a small Transformer to write letters backwards, then ask it. Some ten seconds.

Run it where files may be written: it leaves data/reverse and runs/reverse.
"""

from pathlib import Path

import seqloom as sl
from seqloom.corpus.download import get

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "reverse.yaml"

train_file, validation_file = get("reverse", "data/reverse")
translator = sl.train(
    RECIPE,
    out="runs/reverse",
    corpus=sl.read_corpus(train_file),
    validation=sl.read_corpus(validation_file),
)

held_out = list(sl.read_corpus(validation_file).pairs())[:200]
answers = translator.translate([pair.source for pair in held_out])
right = sum(answer == pair.target for answer, pair in zip(answers, held_out, strict=True))

for pair, answer in zip(held_out[:5], answers, strict=False):
    print(f"{pair.source:<24} -> {answer}")
print(f"{right} of {len(held_out)} sequences that it had never seen are right")
