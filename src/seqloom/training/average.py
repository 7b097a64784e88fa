"""The mean of several trained models: often smoother, and better, than each of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqloom.corpus.files import whole_new_folder
from seqloom.errors import FolderError
from seqloom.folder import load_config, load_folder, save_config, save_weights, write_text
from seqloom.tensors import load_tensors
from seqloom.training.optim import average_weights


def average_folders(folders: Sequence[Path], out: Path) -> int:
    """Write to ``out`` the mean of the models in ``folders``, or of one folder's kept checkpoints.

    Returns the number of models that were averaged.

    Raises:
        FolderError: ``out`` exists; a folder is damaged; there are fewer than two models, or they
            differ in architecture or tokenizer.
    """
    if out.exists():
        raise FolderError(f"{out} exists already; choose another --out, or remove it.")
    first = load_folder(folders[0])
    files = _checkpoints(folders[0]) if len(folders) == 1 else _models(folders)
    weights, headers = zip(*(load_tensors(file) for file in files), strict=True)
    if len(folders) > 1:
        for folder, header in zip(folders, headers, strict=True):
            for part, what in (("model", "architecture"), ("tokenizer", "tokenizer")):
                if header.get(part) != headers[0].get(part):
                    raise FolderError(
                        f"{folder} has another {what} than {folders[0]}; only models of one "
                        f"{what} can be averaged."
                    )
    mean = average_weights(list(weights))
    with whole_new_folder(out) as made:
        save_weights(made, mean, first.recipe, first.tokenizers)
        write_text(made / "README.md", _card(folders, len(files)))
        save_config(made, first.recipe, first.tokenizers)
    return len(files)


def _checkpoints(folder: Path) -> list[Path]:
    files = sorted((folder / "training").glob("weights-*.safetensors"))
    if len(files) < 2:
        raise FolderError(
            f"{folder} keeps {len(files)} checkpoint{'s' if len(files) != 1 else ''} in its "
            "training folder; averaging needs two or more. Name several model folders instead."
        )
    return files


def _models(folders: Sequence[Path]) -> list[Path]:
    for folder in folders:
        load_config(folder)
    return [folder / "model.safetensors" for folder in folders]


def _card(folders: Sequence[Path], count: int) -> str:
    """Markdown: what was averaged, and the card of the first model below it."""
    names = ", ".join(f"`{folder}`" for folder in folders)
    what = f"{count} checkpoints of {names}" if len(folders) == 1 else names
    card = folders[0] / "README.md"
    below = card.read_text(encoding="utf-8") if card.is_file() else ""
    title = f"# Average of {count} models\n\nThe mean of the weights of {what}, by Seqloom."
    return f"{title}\nFigures below are those of the first model, before averaging.\n\n{below}"
