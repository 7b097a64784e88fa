"""The model card, written by the program into every model folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from seqloom.models.base import EncoderDecoder
from seqloom.recipe import Recipe
from seqloom.training.checkpoint import RunState

_UNITS = {
    "loss": "validation loss (nats a token)",
    "bleu": "validation BLEU (sacreBLEU, greedy)",
    "chrf": "validation chrF (greedy)",
    "exact": "validation exact match, % (greedy)",
    "old loss": "loss on the old pairs (nats a token)",
    "old bleu": "BLEU on the old pairs (sacreBLEU, greedy)",
    "old chrf": "chrF on the old pairs (greedy)",
}


def model_card(
    recipe: Recipe,
    state: RunState,
    report: Mapping[str, Any],
    model: EncoderDecoder,
    began: Sequence[str] = (),
    before: Mapping[str, float] | None = None,
) -> str:
    """Markdown: what the model is, what it reaches, how it was made, how to use it.

    ``began`` says which word vectors or models its sides began with, a line each; ``before`` holds
    the figures before the first update of a model that went on from another.
    """
    data = recipe.data
    pairs = {(c.source_language, c.target_language) for c in data.corpora} or {
        (data.source_language, data.target_language)
    }
    languages = ", ".join(f"{a or 'source'} → {b or 'target'}" for a, b in sorted(pairs, key=str))
    parameters = sum(p.numel() for p in model.parameters())
    sections = recipe.model_dump(mode="json", exclude={"decoding"})
    settings = yaml.safe_dump(sections, sort_keys=False, allow_unicode=True)
    pairs = report["train"]["pairs"]
    vectors = "\n".join(f"- {line}" for line in began)
    if vectors:
        vectors = f"\n\nIt did not begin at random alone:\n\n{vectors}"
    origin = recipe.training.model_from
    history = "from scratch" if origin is None else f"further from `{origin}`"
    return f"""# Seqloom model: {languages}

A model of the family `{recipe.model.family}` with {parameters:,} parameters, trained {history}
with Seqloom.{vectors}

{figure_table(state, before or {}, _UNITS, 2, {"training pairs": f"{pairs:,}"})}

## Use

```
echo "..." | seqloom translate THIS_FOLDER -
```

```python
import seqloom

model = seqloom.load("THIS_FOLDER")
model.translate(["..."], beam=5)
```

## How it was trained

```yaml
{settings}```

A model repeats what its training data says, mistakes and prejudice included. Check it on your own
text before you rely on it. The licence of the training data may bind the model.
"""


def figure_table(
    state: RunState,
    before: Mapping[str, float],
    names: Mapping[str, str],
    digits: int,
    more: Mapping[str, str] | None = None,
) -> str:
    """Figures of the kept weights as a table, beside those before the first update, if any.

    ``names`` are what people call them; ``more`` stands at the end of the table.
    """
    head = ("figure", "before", "after") if before else ("figure", "value")
    rows = [list(head), ["---"] * len(head)]
    for name, value in state.figures.items():
        first = [f"{before[name]:.{digits}f}" if name in before else ""] if before else []
        rows.append([names.get(name, name), *first, f"{value:.{digits}f}"])
    ends = {"at update": f"{state.best_update:,}"}
    ends["training time (minutes)"] = f"{state.seconds / 60:.1f}"
    space = [""] if before else []
    rows += [[name, *space, value] for name, value in (ends | dict(more or {})).items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
