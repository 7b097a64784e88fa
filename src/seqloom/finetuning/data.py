"""From files, or from what was read of them, to the job of a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from seqloom.corpus.classes import Labelled, gather
from seqloom.corpus.held_out import TextPair, part_pairs, part_tags, part_texts
from seqloom.corpus.labelled_pairs import read_sentences
from seqloom.corpus.labels import read_labelled
from seqloom.corpus.pairs import Corpus
from seqloom.corpus.report import shorten
from seqloom.corpus.tagged import TaggedSentences, read_tagged
from seqloom.errors import CorpusError, RecipeError
from seqloom.finetuning.jobs import Job, classify_job, tag_job, vectors_job
from seqloom.language_folder import LanguageFolder
from seqloom.recipe.finetuning import FinetuneRecipe

Data = str | Path | Sequence[str | Path] | Labelled | TaggedSentences | Corpus
"""Files, or what was read of them."""


def job_of(
    task: str,
    train: Data,
    validation: Data | None,
    source: LanguageFolder[Any],
    recipe: FinetuneRecipe,
) -> tuple[Job, FinetuneRecipe]:
    """The job of a task, and the recipe with what the data decide.

    Raises:
        CorpusError: a file cannot be read, or its labels cannot be learned.
        RecipeError: the recipe asks for what the task does not have.
    """
    jobs = {"classify": _classify, "tag": _tag, "vectors": _vectors}
    if task not in jobs:
        raise RecipeError("fine-tuning", [f"task: {task!r} is none of {', '.join(jobs)}"])
    job, notes = jobs[task](train, validation, source, recipe)
    job.metric(recipe.training.metric)
    job = replace(job, notes=(*notes, *filter(None, (job.train.said, job.held.said))))
    pair = isinstance(train, Labelled) and train.seconds is not None
    head = recipe.head.model_copy(update={"pair": pair and task == "classify"})
    return job, recipe.model_copy(update={"head": head})


def _classify(
    train: Data, validation: Data | None, source: LanguageFolder[Any], recipe: FinetuneRecipe
) -> tuple[Job, list[str]]:
    training = recipe.training
    texts = _labelled(train)
    given = None if validation is None else _labelled(validation)
    kept, held, notes = part_texts(texts, given, training.held_out, training.seed)
    return classify_job(source.tokenizer, recipe.model.context, kept, held), notes


def _tag(
    train: Data, validation: Data | None, source: LanguageFolder[Any], recipe: FinetuneRecipe
) -> tuple[Job, list[str]]:
    training = recipe.training
    found = _tagged(train)
    given = None if validation is None else _tagged(validation)
    kept, held, notes = part_tags(found, given, training.held_out, training.seed)
    return tag_job(source.tokenizer, recipe.model.context, kept, held), notes


def _vectors(
    train: Data, validation: Data | None, source: LanguageFolder[Any], recipe: FinetuneRecipe
) -> tuple[Job, list[str]]:
    training = recipe.training
    if training.tune == "head":
        raise RecipeError(
            "fine-tuning",
            [
                "training.tune: sentence vectors have no new layer, so tune=head leaves nothing to "
                "learn; use all, last or lora"
            ],
        )
    corpus = _sentences(train)
    grades: list[float] | None = None
    given: list[TextPair] | None = None
    if isinstance(validation, Labelled):
        grades, given = _graded(validation)
    elif validation is not None:
        given = _pairs(_sentences(validation))
    kept, held, notes = part_pairs(
        _pairs(corpus), given, training.held_out, training.seed, corpus.name
    )
    context = recipe.model.context
    job = vectors_job(source.tokenizer, context, kept, held, training, corpus.name, grades)
    return job, notes


def _labelled(given: Data) -> Labelled:
    return given if isinstance(given, Labelled) else gather(read_labelled(_files(given)))


def _tagged(given: Data) -> TaggedSentences:
    return given if isinstance(given, TaggedSentences) else read_tagged(_files(given))


def _sentences(given: Data) -> Corpus:
    return given if isinstance(given, Corpus) else read_sentences(_files(given))


def _files(given: Data) -> list[str | Path]:
    if isinstance(given, str | Path):
        return [given]
    assert not isinstance(given, Labelled | TaggedSentences | Corpus), "data of another task"
    return list(given)


def _pairs(corpus: Corpus) -> list[TextPair]:
    """Pairs of texts that are not blank.

    Raises:
        CorpusError: there are none.
    """
    read = ((pair.source.strip(), pair.target.strip()) for pair in corpus.pairs())
    found = [pair for pair in read if all(pair)]
    if not found:
        raise CorpusError(f"{corpus.name}: no text in it; expected sentences, or pairs of them.")
    return found


def _graded(found: Labelled) -> tuple[list[float], list[TextPair]]:
    """Pairs with their grades.

    Raises:
        CorpusError: a label that is no number.
    """
    assert found.seconds is not None, "pairs with grades"
    grades = list[float]()
    for row, label in enumerate(found.labels):
        try:
            grades.append(float(label))
        except ValueError:
            raise CorpusError(
                f"{found.places[row]}: the grade {shorten(label)!r} is no number; expected how "
                "alike the two texts are, such as 3.5."
            ) from None
    return grades, list(zip(found.texts, found.seconds, strict=True))
