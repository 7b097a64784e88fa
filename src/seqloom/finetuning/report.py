"""What fine-tuning came to: figures before and after, of the new task and of the old one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from seqloom.recipe.finetuning import FinetuneRecipe

_TUNED = {
    "all": "all weights of the encoder were tuned",
    "last": "the last {last_layers} layers of the encoder were tuned",
    "head": "the encoder stayed as it was",
    "lora": "products of rank {lora_rank} beside the encoder's matrices were tuned (LoRA)",
}
_USE = {
    "classifier": 'echo "A text." | seqloom classify THIS_FOLDER -',
    "tagger": 'echo "A sentence ." | seqloom tag THIS_FOLDER -',
    "sentences": "seqloom embed THIS_FOLDER texts.txt --out vectors.npy",
}
_WHAT = {
    "classifier": "classifier of texts",
    "tagger": "tagger of words",
    "sentences": "encoder of sentences",
}


def report_text(report: Mapping[str, Any]) -> str:
    """The report for people: tables of figures before and after, then all of them."""
    rows = [f"{'':32} {'before':>8} {'after':>8}"]
    rows += [f"{name:32} {one:>8} {other:>8}" for name, one, other in _compared(report)]
    return "\n".join([*rows, "", report["text"]])


def finetuned_card(recipe: FinetuneRecipe, report: Mapping[str, Any]) -> str:
    """Markdown: what the model is, what it reaches, how it was made, how to use it."""
    training, data, kind = recipe.training, report["data"], report["kind"]
    tuned = _TUNED[training.tune].format(**training.model_dump())
    table = "\n".join(f"| {name} | {one} | {other} |" for name, one, other in _compared(report))
    settings = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    classes = data.get("classes", {})
    names = ", ".join(f"{_cell(label)} ({number:,})" for label, number in classes.items())
    return f"""# Seqloom {_WHAT[kind]}

An encoder of {report["parameters"]:,} parameters, fine-tuned on {data["examples"]:,} examples of
{_cell(data["train"])}; {tuned} ({report["moving"]:,} weights moved).

| figure, on {data["held"]:,} examples ({_cell(data["validation"])}) | before | after |
|---|---|---|
{table}

Before: the encoder as it was, with a new layer that had learned nothing.
{_old(report)}
{f"What it tells apart (examples in training): {names}." if names else ""}

## Use

```
{_USE[kind]}
```

## How it was trained

From the encoder of `{_cell(report["encoder"])}`, {report["seconds"] / 60:.1f} minutes:

```yaml
{settings}```

A model repeats what its training texts say, mistakes and prejudice included. Check it on your own
texts before you rely on it. The licence of the training texts may bind it.
"""


def _compared(report: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, figure before and figure after."""
    rows = [
        (name, f"{report['before'][name]:.2f}", f"{value:.2f}")
        for name, value in report["after"].items()
    ]
    old = report.get("old") or {"before": {}, "after": {}}
    rows += [
        (f"old task: {name}", f"{old['before'][name]:.2f}", f"{value:.2f}")
        for name, value in old["after"].items()
    ]
    return rows


def _old(report: Mapping[str, Any]) -> str:
    if not report.get("old"):
        return "The old task, filling holes in texts, was not measured (--old FILE)."
    return "The old task is to fill holes in held-out texts such as the encoder was trained on."


def _cell(text: str) -> str:
    """Text that does not break a table."""
    return " ".join(str(text).split()).replace("|", "\\|")
