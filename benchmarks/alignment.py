"""Word alignment: attention, a statistical aligner and the diagonal against links made by people.

    python benchmarks/alignment.py [--minutes 15] [--pairs N] [--seed 1] [--threads N]
        [--only transformer reverse deep rnn eflomal] [--gold-set enfr] [--data DIR]
    python benchmarks/alignment.py --gold-set enru --model FOLDER [--reverse FOLDER]

On Tatoeba's English-French pairs train, for the same minutes each: a Transformer of 2+1 layers,
width 128, one of the other direction (reverse), one of 4+4 layers (deep), and a GRU with additive
attention (rnn; Bahdanau et al. 2015). The 47 pairs of align/enfr are aligned by each. Taken down
are the alignment error rate of every layer's mean and every head, when a word is written and when
it has been read; and of the ways to choose where to read: the layer that is best on the other half
of the gold, the layers that agree most with the reverse model (Chen et al. 2020), and the default
where there is neither. The last table ranks what that default could be, by the Transformer of
several layers. eflomal (Östling and Tiedemann 2016), which gets an environment of its own, learns
from the same training pairs and from the 47, without their links; its directions are joined by
grow-diag-final-and, as are those of the models.

All learn from one text, which is written as the gold is: words and punctuation parted by spaces
(Moses), in lower case, elided and contracted words written out (see alignment_text.py). The models,
too, learn from the 47 pairs without their links, each in 30 lines; their lines hold one to three
pairs, since the gold's sentences are twice as long as those of training. Scores on validation pairs
are of that text, too. A model whose vocabulary has no capital letter reads the gold in lower case,
any other as it stands; eflomal reads it in lower case.

--model and --reverse take models that were trained before; the other sets of gold have no training
pairs of their own and are measured with such models alone. What --only leaves out is not trained,
but measured if it was trained before. Texts and models stay in benchmarks/peers/alignment, where a
run that was stopped goes on; delete that folder to measure anew.

Writes benchmarks/results/alignment.json after every model.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from alignment_figures import Figures, baseline, best, measured, of_links, rules, turned
from alignment_models import (
    DEEP,
    REVERSE,
    RNN,
    TRANSFORMER,
    Model,
    finished,
    opened,
    trained,
)
from alignment_peer import NAME, eflomal
from alignment_text import GOLD_SETS, Texts, lowered, write_texts
from peers import FOLDER, HERE, PeerMissing, parse_with_corpus, table, write_results

from seqloom.corpus.alignments import AlignedPairs
from seqloom.errors import SeqloomError
from seqloom.runtime import devices, processors, set_threads

WORK = FOLDER / "alignment"
GIVEN = "given"
NAMES = (TRANSFORMER, REVERSE, DEEP, RNN, NAME)
RESULTS = HERE / "results" / "alignment.json"


def given(chosen: argparse.Namespace) -> dict[str, Model]:
    """The models of --reverse and --model.

    Raises:
        SeqloomError: a folder is none of a translation model, or is one of other languages.
    """
    gold_set = GOLD_SETS[chosen.gold_set]
    languages = gold_set.source, gold_set.target
    found = {}
    for name, folder, wanted in (
        (REVERSE, chosen.reverse, languages[::-1]),
        (GIVEN, chosen.model, languages),
    ):
        if folder is not None:
            found[name] = opened(folder)
            check_languages(found[name], folder, wanted)
    return found


def check_languages(model: Model, folder: Path, wanted: tuple[str, str]) -> None:
    """Refuse a model that names other languages; one of several is told its own, as ever."""
    data = model.translator.recipe.data
    named = data.source_language, data.target_language
    if data.tag or None in named:
        return
    if tuple(str(each).replace("_", "-").split("-")[0] for each in named) != wanted:
        raise SeqloomError(
            f"{folder} translates {named[0]} to {named[1]}; expected {wanted[0]} to {wanted[1]}."
        )


def made(
    texts: Texts, chosen: argparse.Namespace, left_out: set[str]
) -> Iterator[tuple[str, Model]]:
    """Models trained now or before; the reverse one first, which the others ask."""
    for name in (REVERSE, TRANSFORMER, DEEP, RNN):
        if name in left_out:
            continue
        if name in chosen.only or finished(name, texts, chosen):
            yield name, trained(name, texts, chosen)


def statistical(
    texts: Texts, pairs: AlignedPairs, chosen: argparse.Namespace, before: Figures
) -> Figures:
    """eflomal's figures, those from ``before`` if it is left out, or why there are none."""
    if NAME not in chosen.only:
        return before if before.get("pairs") == texts.pairs else {}
    try:
        links, minutes = eflomal(texts, lowered(pairs), chosen.threads)
    except PeerMissing as error:
        print(f"{NAME} takes no part: {error}")
        return {"missing": str(error).splitlines()[0]}
    readings = of_links(links, pairs)
    return {"pairs": texts.pairs, "minutes": round(minutes, 2), "readings": readings}


def measure(chosen: argparse.Namespace, before: Figures) -> Iterator[Figures]:
    """All there is of one set of gold, after every model."""
    gold_set = GOLD_SETS[chosen.gold_set]
    pairs = gold_set.read(chosen.data)
    models = given(chosen)
    found: Figures = {"gold pairs": len(pairs), "diagonal": baseline(pairs), "models": {}}
    more: Iterable[tuple[str, Model]] = ()
    if gold_set.corpus is not None:
        work = WORK / f"{chosen.gold_set}-{chosen.pairs or 'all'}"
        texts = write_texts(gold_set, chosen.data, work, chosen.pairs, pairs)
        found[NAME] = statistical(texts, pairs, chosen, before.get(NAME, {}))
        yield found
        left_out = {TRANSFORMER if name == GIVEN else name for name in models}
        more = made(texts, chosen, left_out)
    reverse = None
    for name, model in chain(models.items(), more):
        if name == REVERSE:
            reverse = model
            found["models"][name] = measured(model, turned(pairs), None)
        else:
            found["models"][name] = measured(model, pairs, reverse)
        found["defaults"] = rules(found["models"].values())
        yield found


def row_of(name: str, where: str, way: Mapping[str, Any], diagonal: float) -> dict[str, str]:
    """A line of the first table."""
    return {
        "alignment by": name,
        "read at": where,
        "AER": f"{way['aer']:.2f}",
        "95 %": f"[{way['low']:.1f}, {way['high']:.1f}]",
        "precision": f"{way['precision']:.1f}",
        "recall": f"{way['recall']:.1f}",
        "below the diagonal": f"{diagonal - way['aer']:+.1f}",
    }


def place(way: Mapping[str, Any]) -> str:
    """Where a row was read."""
    head = "mean" if way["head"] is None else f"head {way['head']}"
    return f"layer {way['layer']}, {head}, {way['when']}"


def summary(found: Figures) -> list[dict[str, str]]:
    """The baseline, the peer, and each model with the best layer, the best head and the choices."""
    level = found["diagonal"]["aer"]
    rows = [row_of("diagonal", "", found["diagonal"], level)]
    for where, way in found.get(NAME, {}).get("readings", {}).items():
        rows.append(row_of(NAME, where, way, level))
    for name, model in found["models"].items():
        for told, way in (
            ("best layer", best(model["ways"])),
            ("best head", best(model["ways"], head="any")),
        ):
            if way is not None:
                rows.append(row_of(name, f"{told}: {place(way)}", way, level))
        for where, way in model["readings"].items():
            rows.append(row_of(name, where, way, level))
    return rows


def layers(found: Figures) -> list[dict[str, str]]:
    """Each layer's mean and best head, when written and when read."""
    rows = []
    for name, model in found["models"].items():
        for layer in dict.fromkeys(way["layer"] for way in model["ways"]):
            row = {"model": name, "layer": str(layer)}
            for when in ("written", "read"):
                mean = best(model["ways"], layer=layer, when=when)
                head = best(model["ways"], layer=layer, when=when, head="any")
                assert mean is not None
                row[f"mean, {when}"] = f"{mean['aer']:.2f}"
                row[f"best head, {when}"] = (
                    f"{head['aer']:.2f} (head {head['head']})" if head else "-"
                )
            rows.append(row)
    return rows


def courses(found: Figures) -> list[dict[str, str]]:
    """What each learned from, and for how long."""
    rows = []
    for name, facts in {**found["models"], NAME: found.get(NAME, {})}.items():
        if not facts:
            continue
        row = {"trained": name}
        for key in ("pairs", "updates", "minutes", "validation BLEU"):
            row[key] = f"{facts[key]:,}" if key in facts else "-"
        rows.append(row)
    return rows


def default_row(rule: Figures) -> dict[str, str]:
    """A default that could be; the present one is marked."""
    present = rule["layer from the end"] == 2 and rule["when"] == "written"
    return {
        "default, the best first": f"layer {rule['layer from the end']} from the end",
        "when": rule["when"],
        "mean AER": f"{rule['aer']:.2f}",
        "": "the present one" if present else "",
    }


def report(found: Figures) -> str:
    """All tables that have rows."""
    defaults = [default_row(rule) for rule in found.get("defaults", [])]
    parts = (summary(found), courses(found), layers(found), defaults)
    return "\n\n".join(table(rows) for rows in parts if rows)


def arguments() -> argparse.Namespace:
    """What the user asks for; exit code 2 if that cannot be."""
    parser = argparse.ArgumentParser(description="Word alignment against gold.")
    parser.add_argument("--gold-set", choices=tuple(GOLD_SETS), default="enfr")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, help="train these")
    parser.add_argument("--minutes", type=float, default=15, help="training time of each model")
    parser.add_argument("--pairs", type=int, help="learn from no more than these")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", type=Path, help="folder of a model in place of transformer")
    parser.add_argument("--reverse", type=Path, help="folder of a model of the other direction")
    parser.add_argument("--threads", type=int, default=processors())
    chosen = parse_with_corpus(parser, "align")
    gold_set = GOLD_SETS[chosen.gold_set]
    for name in gold_set.files():
        if not (chosen.data / name).exists():
            parser.error(f"no {name} in {chosen.data}; name the folder above it with --data.")
    if gold_set.corpus is None and chosen.model is None:
        parser.error(f"{chosen.gold_set} comes without training pairs; name a model with --model.")
    return chosen


def main() -> None:
    """Train, align, report."""
    chosen = arguments()
    set_threads(chosen.threads)
    sets = json.loads(RESULTS.read_text(encoding="utf-8"))["sets"] if RESULTS.exists() else {}
    try:
        for found in measure(chosen, sets.get(chosen.gold_set, {})):
            sets[chosen.gold_set] = found
            values = {"processor": devices()[0], "threads": chosen.threads, "sets": sets}
            write_results("alignment", values)
    except SeqloomError as error:
        print(f"{error}", file=sys.stderr)
        sys.exit(2)
    print(f"\n{report(sets[chosen.gold_set])}\n\nWritten to {RESULTS}")


if __name__ == "__main__":
    main()
