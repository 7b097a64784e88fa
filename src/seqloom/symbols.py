"""The special tokens: the same ids in every vocabulary of ours, others in foreign ones."""

from __future__ import annotations

from typing import NamedTuple

PAD, BOS, EOS, UNK = 0, 1, 2, 3

SPECIALS = ("<pad>", "<s>", "</s>", "<unk>")
"""Their names in ``tokenizer.json``, in the order of their ids."""

MASK = "<mask>"
"""Hides a token from a masked model; in vocabularies that were learned for one."""


class Symbols(NamedTuple):
    """The ids of the special tokens of one vocabulary."""

    pad: int = PAD
    """Fills a batch up; belongs to no text."""
    begin: int = BOS
    """Stands before a text; BERT's [CLS]."""
    end: int = EOS
    """Stands after a text; BERT's [SEP]."""
    unknown: int | None = UNK
    """Stands for what the vocabulary cannot say."""
    mask: int | None = None
    """Hides a token from a masked model."""
