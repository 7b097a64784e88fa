"""What is held out of running text: documents by their content, or the tail of the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from seqloom.corpus.digest import text_digests
from seqloom.corpus.pairs import Corpus, Pair, batches_of
from seqloom.corpus.sentences import sentence_ends
from seqloom.corpus.split import DIGESTS, chosen

_NEAR = 10_000  # characters in which a line end or the end of a sentence is looked for


def hold_out_documents(corpus: Corpus, share: float) -> tuple[Corpus, Corpus]:
    """Part a corpus in (training, held out) by the hashes of its documents; reads it once.

    Adding documents moves none from one side to the other, unless the share is so small that
    none falls below it: then the one with the smallest hash is held out.

    Args:
        corpus: two documents at least, not all equal, so that none of the sides is empty.
        share: expected share of documents that are held out.
    """
    least = DIGESTS
    for batch in corpus.batches():
        least = min(least, *text_digests(batch.column("source")))
    border = max(int(share * DIGESTS), least + 1)
    return (
        corpus.derive(lambda: chosen(corpus, border, DIGESTS)),
        corpus.derive(lambda: chosen(corpus, 0, border), f"{corpus.name} (held out)"),
    )


def hold_out_tail(corpus: Corpus, share: float) -> tuple[Corpus, Corpus]:
    """Part a corpus in (training, held out): the last ``share`` of its characters; reads it once.

    The document on the border is cut behind a line end, or the end of a sentence, if one is near.
    """
    border = round(characters(corpus) * (1 - share))
    return (
        corpus.derive(lambda: _side(corpus, border, False)),
        corpus.derive(lambda: _side(corpus, border, True), f"{corpus.name} (tail)"),
    )


def characters(corpus: Corpus) -> int:
    """Read everything once and count the characters of all documents."""
    total = 0
    for batch in corpus.batches():
        texts: Any = batch.column("source")
        total += pc.sum(pc.utf8_length(texts)).as_py() or 0
    return total


def _side(corpus: Corpus, border: int, held_out: bool) -> Iterator[pa.RecordBatch]:
    def documents() -> Iterator[Pair]:
        before = 0
        for pair in corpus.pairs():
            cut = _cut(pair.source, border - before)
            before += len(pair.source)
            text = pair.source[cut:] if held_out else pair.source[:cut]
            if text.strip():
                yield pair._replace(source=text)

    return batches_of(documents())


def _cut(text: str, border: int) -> int:
    """Where to cut a text that is to be cut at ``border``, in characters."""
    if not 0 < border < len(text):
        return min(max(border, 0), len(text))
    near = text[border : border + _NEAR]
    line = near.find("\n") + 1
    ends = [line] if line else sentence_ends(near)
    cut = border + ends[0]
    return cut if cut < len(text) else border
