"""The model card of a language model: ``README.md``, written by the program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from seqloom.models.base import TextModel
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.training.card import figure_table
from seqloom.training.checkpoint import RunState

_UNITS = {
    "loss": "validation loss (nats a token)",
    "perplexity": "validation perplexity",
    "old loss": "loss on old texts (nats a token)",
    "masked accuracy": "hidden tokens found, %",
    "next sentence": "next sentence told from another, %",
}
_USE = {
    "gpt": 'seqloom generate THIS_FOLDER "Once upon a time"',
    "bert": "seqloom finetune THIS_FOLDER --train labelled.tsv --out DIR",
}


def language_card(
    recipe: PretrainRecipe,
    state: RunState,
    report: Mapping[str, Any],
    model: TextModel,
    before: Mapping[str, float],
    began: Sequence[str] = (),
) -> str:
    """Markdown: what the model is, what it reaches, how it was made, how to use it.

    ``before`` are the figures before the first update of a model that went on from another;
    ``began`` says which word vectors its embeddings began with.
    """
    family = recipe.model.family
    parameters = sum(p.numel() for p in model.parameters())
    origin = recipe.training.model_from
    history = "from scratch" if origin is None else f"further from `{origin}`"
    sections = recipe.model_dump(mode="json", exclude={"decoding"})
    settings = yaml.safe_dump(sections, sort_keys=False, allow_unicode=True)
    train = report["train"]
    vectors = "".join(f"\n\nIts embeddings began with word vectors: {line}" for line in began)
    return f"""# Seqloom language model ({family.upper()})

A model of the family `{family}` with {parameters:,} parameters, trained {history}
with Seqloom on {train["documents"]:,} documents of {train["tokens"]:,} tokens.{vectors}

{figure_table(state, before, _UNITS, 3)}

## Use

```
{_USE[family]}
```

## How it was trained

```yaml
{settings}```

A model repeats what its training texts say, mistakes and prejudice included. Check it on your own
text before you rely on it. The licence of the texts may bind the model.
"""
