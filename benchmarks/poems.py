"""Couplets: how often the second line has the length of the first, and is it any good.

    seqloom pretrain gpt recipes/poems-zh.yaml --out runs/poems-zh
    python benchmarks/poems.py runs/poems-zh [--lines N] [--data DIR]

The model goes on from each held-out first line (poems-zh/dev.up), greedily and drawing from the
95 % likeliest. Counted are answers that end and have as many characters as the first line, in one
line; those that copy a line; and, since there is no single right answer, the share of characters
that stand at their place in the poet's own line.

DIR holds poems-zh/dev.up and dev.down. Writes benchmarks/results/poems.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peers import parse_with_corpus, table, write_results

from seqloom.language_model import Continuation, LanguageModel
from seqloom.runtime import devices, keep_memory, set_threads

WAYS: dict[str, dict[str, Any]] = {
    "greedy": {"sample": False, "beam": 1},
    "sampled, top-p 0.95": {"sample": True, "top_p": 0.95, "temperature": 1.0, "seed": 1},
}
LONGEST = 20


def judge(
    firsts: Sequence[str], answers: Sequence[Continuation], poets: Sequence[str]
) -> dict[str, float]:
    """Shares in a hundred, and how many there were."""
    texts = [answer.text for answer in answers]
    exact = [
        answer.finished and "\n" not in answer.text and len(answer.text) == len(first)
        for first, answer in zip(firsts, answers, strict=True)
    ]
    placed = sum(
        mine == theirs
        for text, line in zip(texts, poets, strict=True)
        for mine, theirs in zip(text, line, strict=False)
    )
    copies = sum(text == first for text, first in zip(texts, firsts, strict=True))
    return {
        "lines": len(firsts),
        "length kept, %": round(100 * sum(exact) / len(firsts), 2),
        "copies of the first line, %": round(100 * copies / len(firsts), 2),
        "different answers, %": round(100 * len(set(texts)) / len(firsts), 2),
        "characters of the poet, %": round(100 * placed / sum(map(len, poets)), 2),
    }


def main() -> None:
    """Go on from every line in each way, count, report."""
    parser = argparse.ArgumentParser(description="Second lines of couplets.")
    parser.add_argument("folder", type=Path, help="a GPT of recipes/poems-zh.yaml")
    parser.add_argument("--lines", type=int, help="no more than these")
    chosen = parse_with_corpus(parser, "poems-zh/dev.up", "poems-zh/dev.down")
    set_threads()
    keep_memory()
    model = LanguageModel.load(chosen.folder)
    firsts, poets = (
        (chosen.data / "poems-zh" / f"dev.{side}").read_text(encoding="utf-8").splitlines()
        for side in ("up", "down")
    )
    firsts, poets = firsts[: chosen.lines], poets[: chosen.lines]
    found = {}
    for name, options in WAYS.items():
        prompts = [f"{first}\n" for first in firsts]
        answers = [best for best, *_ in model.generate(prompts, max_tokens=LONGEST, **options)]
        found[name] = judge(firsts, answers, poets)
        for first, answer in [*zip(firsts, answers, strict=True)][:3]:
            print(f"  {first} | {answer.text}")
    rows = [
        {"way": name, **{key: f"{value:,}" for key, value in figures.items()}}
        for name, figures in found.items()
    ]
    print(f"\n{table(rows)}")
    write_results("poems", {"processor": devices()[0], "found": found})


if __name__ == "__main__":
    main()
