"""Hugging Face, both ways: their checkpoints as ours, ours as theirs; transformers is not needed.

::

    theirs                              ours
    marian pegasus m2m_100 bart mbart   models/transformer.py    seq2seq, translation
    bert                                models/bert.py           bert, language
    gpt2 llama mistral qwen2            models/gpt.py            gpt, language
"""

from __future__ import annotations

from pathlib import Path

from seqloom.errors import ExportError
from seqloom.export import language, seq2seq
from seqloom.export.hub import checkpoint_folder
from seqloom.export.language import LanguageCheckpoint, read_language
from seqloom.export.settings import Settings
from seqloom.export.translation import export_translation, import_translation
from seqloom.folder import load_folder

KNOWN = (*seq2seq.FAMILIES, *language.FAMILIES)
"""All families, by their ``model_type``."""


def import_huggingface(checkpoint: str | Path, out: str | Path) -> Path:
    """A checkpoint of transformers as a model folder of ours.

    Args:
        checkpoint: its folder, or ``hub:owner/name``.
        out: the model folder, which must not hold anything yet.

    Raises:
        ExportError: an unknown family, or settings, weights or a tokenizer that ours cannot stand
            for.
        MissingExtraError: a library for ``hub:`` is not installed.
        FolderError: a file cannot be written.
    """
    folder, settings = open_checkpoint(checkpoint)
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ExportError(f"{out} is there already; choose a new folder with --out.")
    if settings.family in seq2seq.FAMILIES:
        return import_translation(folder, settings, out)
    raise ExportError(f"{folder} is a language model ({settings.family}), not one of translation.")


def import_language(checkpoint: str | Path) -> LanguageCheckpoint:
    """A BERT or GPT of transformers in our words.

    Raises:
        ExportError: as :func:`import_huggingface`.
        MissingExtraError: as :func:`import_huggingface`.
    """
    folder, settings = open_checkpoint(checkpoint)
    if settings.family not in language.FAMILIES:
        raise ExportError(f"{folder} is a model of translation ({settings.family}).")
    return read_language(folder, settings)


def open_checkpoint(checkpoint: str | Path) -> tuple[Path, Settings]:
    """The folder and the config of a checkpoint, whose family is known.

    Raises:
        ExportError: not a checkpoint, or of an unknown family.
        MissingExtraError: a library for ``hub:`` is not installed.
    """
    folder = checkpoint_folder(checkpoint)
    settings = Settings.read(folder)
    if settings.family not in KNOWN:
        raise ExportError(
            f"{settings.where}: model_type is {settings.family!r}; Seqloom reads "
            f"{', '.join(KNOWN)}."
        )
    return folder, settings


def export_huggingface(folder: str | Path, out: str | Path) -> Path:
    """A model folder of ours as a checkpoint that transformers loads.

    Raises:
        ExportError: no architecture of theirs can stand for the model; says why.
        FolderError: not a model folder, or a file cannot be written.
    """
    return export_translation(load_folder(folder), Path(out))
