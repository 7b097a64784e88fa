"""``seqloom evaluate``: how good translations are, and whether a difference is more than chance."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqloom.cli.console import Watch
from seqloom.cli.files import all_lines, check_aligned
from seqloom.cli.options import Device, Json, decoding_recipe, open_translator
from seqloom.errors import EvaluationError

if TYPE_CHECKING:
    from seqloom.evaluation.bootstrap import Paired
    from seqloom.evaluation.metrics import Figure


def evaluate(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[FOLDER]", help="Model that translates --source."),
    ] = None,
    hypotheses: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Translations, instead of a model.")
    ] = None,
    source: Annotated[Path | None, typer.Option(metavar="FILE", help="Source sentences.")] = None,
    references: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Right translations, line by line.")
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Other translations: is the difference significant?"),
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option(help="bleu, chrf, ter, exact or bleu_lower_tokenized.")
    ] = None,
    bootstrap: Annotated[
        int, typer.Option(min=0, metavar="N", help="Resamplings for confidence intervals; 0: none.")
    ] = 1000,
    side_by_side: Annotated[
        int, typer.Option(min=0, metavar="N", help="Show the N worst and N best sentences.")
    ] = 0,
    source_language: Annotated[str | None, typer.Option(metavar="CODE")] = None,
    target_language: Annotated[str | None, typer.Option(metavar="CODE")] = None,
    beam: Annotated[int | None, typer.Option(help="Beam size, with a FOLDER.")] = None,
    as_json: Json = False,
    device: Device = None,
) -> None:
    """Score translations against references: BLEU, chrF, TER with signatures, exact match."""
    _check_form(folder, hypotheses, source, references)
    assert references is not None
    given = [path for path in (references, source, hypotheses, baseline) if path is not None]
    texts = {path: all_lines(path) for path in given}
    check_aligned(texts.items())
    sources = texts[source] if source is not None else None
    if hypotheses is not None:
        ours, language = texts[hypotheses], None
    else:
        assert folder is not None
        ours, language = _translate(folder, sources or [], beam, device)

    from seqloom.corpus.languages import guess_language
    from seqloom.evaluation.bootstrap import paired
    from seqloom.evaluation.metrics import evaluate as measure
    from seqloom.evaluation.scorers import METRICS
    from seqloom.evaluation.sidebyside import side_by_side as compare

    truth, theirs = texts[references], texts.get(baseline) if baseline is not None else None
    language = target_language or language or guess_language(references)
    chosen = tuple(metric or METRICS)
    figures = measure(
        ours,
        truth,
        metrics=chosen,
        source_language=source_language,
        target_language=language,
        bootstrap=bootstrap,
    )
    pairs = {}
    if theirs is not None:
        pairs = {
            name: paired(ours, theirs, truth, name, target_language=language) for name in chosen
        }
    sides = compare(sources, ours, truth, side_by_side, other=theirs) if side_by_side else None
    if as_json:
        typer.echo(json.dumps(_as_dict(figures, pairs, sides), indent=2, ensure_ascii=False))
    else:
        typer.echo(_as_text(figures, pairs))
        if sides is not None:
            typer.echo(f"\n{sides.text()}")


def _check_form(
    folder: Path | None, hypotheses: Path | None, source: Path | None, references: Path | None
) -> None:
    """One of the two forms of the command, and nothing between them."""
    forms = (
        "expected: seqloom evaluate --hypotheses FILE --references FILE, "
        "or: seqloom evaluate FOLDER --source FILE --references FILE"
    )
    if references is None:
        raise EvaluationError(f"--references is missing; {forms}")
    if folder is None and hypotheses is None:
        raise EvaluationError(f"nothing to evaluate; {forms}")
    if folder is not None and hypotheses is not None:
        raise EvaluationError(f"both a folder and --hypotheses given; {forms}")
    if folder is not None and source is None:
        raise EvaluationError(f"--source is missing, the text that the model translates; {forms}")


def _translate(
    folder: Path, sources: list[str], beam: int | None, device: str | None
) -> tuple[list[str], str | None]:
    """Translations by the model in ``folder``, and their language."""
    translator = open_translator(folder, device)
    options = decoding_recipe(translator.recipe.decoding, {"beam": beam, "nbest": 1})
    found = []
    with Watch() as watch:
        for translation in translator.stream(sources, options, warn=watch.message):
            found.append(translation.text)
            watch.stage("translating", len(found), len(sources))
    return found, translator.recipe.data.target_language


def _as_dict(figures: list[Figure], pairs: dict[str, Paired], sides: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {"figures": [asdict(figure) for figure in figures]}
    if pairs:
        shown["baseline"] = {name: asdict(pair) for name, pair in pairs.items()}
    if sides is not None:
        shown["sentences"] = sides.as_dict()
    return shown


def _as_text(figures: list[Figure], pairs: dict[str, Paired]) -> str:
    rows = []
    for figure in figures:
        spread = f"  [{figure.low:.2f}, {figure.high:.2f}]" if figure.low is not None else ""
        rows.append(f"{figure.name:22} {figure.value:6.2f}{spread}  {figure.signature}")
    for name, pair in pairs.items():
        rows.append(
            f"{name:22} {pair.delta:+6.2f} over the baseline's {pair.b:.2f}, p = {pair.p_value:.3f}"
            f"  [{pair.low:+.2f}, {pair.high:+.2f}]"
        )
    return "\n".join(rows)
