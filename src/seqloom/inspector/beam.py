"""The search of a trained model as a tree: from a folder's model and a text to a record."""

from __future__ import annotations

from typing import Unpack

from seqloom.corpus.report import shorten
from seqloom.decoding.trace import Progress
from seqloom.errors import DecodingError
from seqloom.inspection.beam_record import BeamRecord
from seqloom.inspection.beam_recording import Asked, Reading, record_search
from seqloom.language_model import LanguageModel, following
from seqloom.recipe import DecodingRecipe
from seqloom.text.tags import Languages
from seqloom.text.tokenizer import Tokenizer
from seqloom.translator import Translator


def beam_of_translation(
    translator: Translator,
    text: str,
    options: DecodingRecipe,
    asked: Asked | None = None,
    force: str | None = None,
    progress: Progress | None = None,
    **languages: Unpack[Languages],
) -> BeamRecord:
    """How a translator searches for the translation of one sentence, in float32.

    Args:
        translator: its first model is looked at.
        text: one sentence.
        options: how to search; sampling is shown besides where it is ``asked`` for.
        asked: what is to be seen.
        force: a text that is compared with what the search chooses.
        progress: told how many steps a search has taken.
        languages: as for :meth:`Translator.translate`.

    Raises:
        DecodingError: no text, or one longer than those of training; a forced text that is too
            long or has characters without a token.
    """
    if not text.strip():
        raise DecodingError("an empty text has no translation; name a sentence.")
    framing = translator.framing(**languages)
    tokenizer, begun = translator.tokenizers.target, framing.begun
    [ids] = framing.sources([text])
    if len(ids) > translator.limit:
        raise DecodingError(
            f"a text of {len(ids)} tokens, and the model was trained on {translator.limit} at "
            f"most: {shorten(text)!r}; name one sentence of it."
        )
    forced = None
    if force is not None:
        [forced] = framing.targets([force])
        _check_known(tokenizer, force, forced)
    reading = Reading(text, ids, tokenizer.pieces, tokenizer.decode, begun, forced)
    return record_search(translator.model, reading, _searching(options), asked or Asked(), progress)


def beam_of_continuation(
    model: LanguageModel,
    prompt: str,
    options: DecodingRecipe,
    asked: Asked | None = None,
    force: str | None = None,
    progress: Progress | None = None,
) -> BeamRecord:
    """How a causal language model searches for what follows a prompt, in float32.

    Args:
        model: one that writes.
        prompt: may be empty.
        options: how to search; sampling is shown besides where it is ``asked`` for.
        asked: what is to be seen.
        force: a text that is compared with what the search chooses; it stands right behind the
            prompt, its space included.
        progress: told how many steps a search has taken.

    Raises:
        DecodingError: a masked model; a prompt that leaves no room; a forced text that is too long
            or has characters without a token.
    """
    tokenizer, writer = model.tokenizer, model.writer()
    ids = tokenizer.encode(prompt)
    forced = None
    if force is not None:
        forced = _behind(tokenizer, prompt, ids, force)
        _check_known(tokenizer, force, forced)
    reading = Reading(prompt, ids, tokenizer.pieces, following(tokenizer, ids), forced=forced)
    return record_search(writer, reading, _searching(options), asked or Asked(), progress)


def _searching(options: DecodingRecipe) -> DecodingRecipe:
    return options.model_copy(update={"sample": False})


def _behind(tokenizer: Tokenizer, prompt: str, ids: list[int], text: str) -> list[int]:
    """The ids of a text behind a prompt; of the text alone where the two would grow together."""
    whole = tokenizer.encode(prompt + text)
    return whole[len(ids) :] if whole[: len(ids)] == ids else tokenizer.encode(text)


def _check_known(tokenizer: Tokenizer, text: str, ids: list[int]) -> None:
    """Refuse a text that no search could write.

    Raises:
        DecodingError: it has characters or words without a token.
    """
    unknown = tokenizer.symbols.unknown
    if unknown is None or unknown not in ids:
        return
    [(found, spans)] = tokenizer.locate_batch([text])
    parts = (
        text[a:b].strip() for token, (a, b) in zip(found, spans, strict=True) if token == unknown
    )
    named = ", ".join(repr(part) for part in dict.fromkeys(parts))
    raise DecodingError(
        f"the forced text {shorten(text)!r} has what the vocabulary has no token for: {named}; no "
        "search can write it. Say it otherwise."
    )
