"""Hugging Face, both ways: their checkpoints as ours, ours as theirs; transformers is not needed.

::

    theirs                              ours
    marian pegasus m2m_100 bart mbart   models/transformer.py    seq2seq, sides, translation
    bert roformer                       models/bert.py           bert, language
    gpt2 llama mistral qwen2            models/gpt.py            gpt, language
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from seqloom.corpus.files import whole_new_folder
from seqloom.errors import ExportError
from seqloom.export import language, seq2seq
from seqloom.export.hub import checkpoint_folder
from seqloom.export.language import export_language, import_language
from seqloom.export.settings import Settings
from seqloom.export.translation import import_translation
from seqloom.export.translation_export import export_translation
from seqloom.export.tuned import export_tuned
from seqloom.folder import load_folder, read_config
from seqloom.language_folder import KINDS, load_language_folder

KNOWN = (*seq2seq.FAMILIES, *language.FAMILIES)
"""All families, by their ``model_type``."""


def import_huggingface(
    checkpoint: str | Path, out: str | Path, warn: Callable[[str], None] | None = None
) -> Path:
    """A checkpoint of transformers as a model folder of ours.

    Args:
        checkpoint: its folder, or ``hub:owner/name``.
        out: the model folder, which must not hold anything yet.
        warn: told what the checkpoint lacks, and what of it is left out.

    Raises:
        ExportError: an unknown family, or settings, weights or a tokenizer that ours cannot stand
            for.
        MissingExtraError: a library for ``hub:`` is not installed.
        FolderError: a file cannot be written.
    """
    folder, settings = open_checkpoint(checkpoint)
    out = Path(out)
    _check_free(out)
    with whole_new_folder(out) as made:
        if settings.family in seq2seq.FAMILIES:
            import_translation(folder, settings, made)
        else:
            import_language(folder, settings, made, warn)
    return out


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
    path, out = Path(folder), Path(out)
    _check_free(out)
    if read_config(path).get("kind", "translation") == "translation":
        translation = load_folder(path)
        with whole_new_folder(out) as made:
            export_translation(translation, made)
        return out
    loaded = load_language_folder(path, tuple(KINDS))
    with whole_new_folder(out) as made:
        if loaded.kind == "language":
            weights = loaded.model.state_dict()
            export_language(loaded.recipe.model, weights, loaded.tokenizer, made)
        else:
            export_tuned(loaded, made)
    return out


def _check_free(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ExportError(f"{out} is there already; choose a new folder with --out.")
