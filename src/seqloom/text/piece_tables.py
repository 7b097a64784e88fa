"""What each piece of a vocabulary is, as tables that numpy looks ids up in.

Axes: V pieces, C characters of a text.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqloom.corpus.codepoints import members, points_of
from seqloom.text.pipeline import BYTES, SPACE
from seqloom.text.tokenizer import Tokenizer

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_INSIDE = r"\p{L}\p{M}'’"
_FIRST_CONTINUED = 0x80  # bytes from here on are parts of characters


def word_beginnings(tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """Which pieces begin a word [V]: those that a space mark or anything but a letter begins.

    A mark that no space parts from the letters behind it belongs to their word. In scripts without
    spaces each piece is a word. Special tokens and tags begin one too. WordPiece (BERT) marks the
    pieces that go on with a word instead.
    """
    model = tokenizer.description["model"]
    if model["type"] == "WordPiece":
        mark = model["continuing_subword_prefix"]
        return np.array([not token.startswith(mark) for token in tokenizer.tokens])
    inside = members(_INSIDE) & ~members(_UNSPACED)
    begins = np.ones(tokenizer.size, np.bool_)
    for index, piece in enumerate(tokenizer.pieces(range(tokenizer.size))):
        if index < tokenizer.control:
            continue
        if piece in _BYTE_OF:
            begins[index] = _BYTE_OF[piece] < _FIRST_CONTINUED
        elif piece and not piece.startswith(SPACE):
            begins[index] = not inside[ord(piece[0])]
    return begins


def piece_bytes(tokenizer: Tokenizer) -> NDArray[np.int64]:
    """Bytes of normalized text behind each piece [V]; 0 for special tokens and tags."""
    single = tokenizer.kind == "byte_bpe"
    sizes = np.zeros(tokenizer.size, np.int64)
    for index, token in enumerate(tokenizer.tokens):
        if index < tokenizer.control:
            continue
        if single:
            sizes[index] = len(token)  # a character stands for a byte
        else:
            sizes[index] = 1 if token in _BYTE_OF else len(token.encode())
    return sizes


def normalized_ends(text: str, kind: str) -> NDArray[np.int64]:
    """Where each character ends in the normalized text, in bytes from its beginning [C].

    The space mark in front of the text is counted; see :mod:`seqloom.text.pipeline`.
    """
    points: NDArray[Any] = points_of(text)
    widths = np.ones(len(points), np.uint8)
    for least in (0x80, 0x800, 0x10000):
        widths += points >= least
    front = 1
    if kind != "byte_bpe":
        front = len(SPACE.encode())
        widths[points == ord(" ")] = front
        for escaped in (0xFDD0, 0xFDD1):  # travel as pairs
            widths[points == escaped] *= 2
    return front + np.cumsum(widths, dtype=np.int64)


_BYTE_OF = {name: byte for byte, name in enumerate(BYTES)}
