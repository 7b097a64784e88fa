"""What the benchmark of language models trains on: paragraphs of novels and of proposals (PEPs)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from seqloom.corpus.pairs import Corpus
from seqloom.text.texts import PreparedTexts


def paragraphs(data: Path, most: int) -> Corpus:
    """Paragraphs of both corpora, evenly chosen, as documents without targets."""
    found: list[str] = []
    for file in sorted((data / "gutenberg").glob("*.txt")):
        found += file.read_text(encoding="utf-8").splitlines()
    proposals = (data / "peps" / "peps.txt").read_text(encoding="utf-8")
    found += [" ".join(paragraph.split()) for paragraph in proposals.split("\n\n")]
    found = [paragraph for paragraph in found if paragraph.strip()]
    step = max(1, len(found) // most)
    return Corpus.of([(text, "") for text in found[::step]], name="paragraphs")


def write_texts(texts: PreparedTexts, file: Path) -> None:
    """The training texts as numbers, for the peer."""
    rows = [np.asarray(texts.train.ids(row)) for row in range(len(texts.train))]
    np.savez(file, ids=np.concatenate(rows), sizes=[len(row) for row in rows])
