"""How each kind of tokenizer treats text around its vocabulary: in, cut, and back again.

``tokenizer.json`` describes five stages; this file builds all of them except the vocabulary, which
:mod:`seqloom.text.learning` finds. Nothing of the text is changed for good, so that
``decode(encode(text)) == text`` for every Unicode string:

- a space becomes ``▁``, and one ``▁`` is put in front, so that a word is the same piece at the
  start of a sentence and inside it (Kudo and Richardson 2018);
- a ``▁`` that stands in the text itself travels as the noncharacter U+FDD0, and the noncharacters
  U+FDD0 and U+FDD1 travel as pairs;
- a character outside the vocabulary becomes its UTF-8 bytes, ``<0x00>`` to ``<0xFF>``.

A vocabulary in lower case is the exception: what it has read comes back without capitals.

Pieces never cross the edges of words: runs of letters (an apostrophe inside counts as one), single
digits, and runs of everything else. So ``Hund.`` shares ``▁Hund`` with ``Hund``, and no piece can
look like ``</s>``, ``<2de>`` or ``<0x41>``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from seqloom.symbols import SPECIALS, UNK

KINDS = ("bpe", "byte_bpe", "unigram", "word", "character")
"""Names of the kinds, as in the recipe."""

SPACE = "▁"
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
SEPARATOR = "\ufdd4"
"""Stands for left-out characters while a vocabulary is learned; no piece reaches across it."""

_ESCAPE = "\ufdd1"
_ESCAPES = (
    (_ESCAPE, _ESCAPE + "\ufdd3"),
    ("\ufdd0", _ESCAPE + "\ufdd2"),
    (SPACE, "\ufdd0"),
)
_WORDS = (
    r"{space}?\p{{L}}[\p{{L}}\p{{M}}]*(?:['’]\p{{L}}[\p{{L}}\p{{M}}]*)*"
    r"|{space}?\p{{N}}"
    r"|{space}?[^\p{{L}}\p{{N}}{space}]+"
    r"|{space}+(?={space})|{space}"
)
_ANYTHING = r"[\s\S]"


def escape(character: str) -> str:
    """What one character of the text becomes before it is cut (all kinds but ``byte_bpe``)."""
    if character == " ":
        return SPACE
    return dict(_ESCAPES).get(character, character)


def unescape(piece: str) -> str:
    """A piece as people should see it: a literal ``▁`` back from its stand-in."""
    for plain, escaped in reversed(_ESCAPES):
        piece = piece.replace(escaped, plain)
    return piece


def readable(text: str, kind: str) -> str:
    """Normalized text or a piece as people should see it; bytes that are no text in brackets."""
    if kind != "byte_bpe":
        return unescape(text)
    raw = bytes(_BYTE_OF[character] for character in text)
    try:
        return raw.decode("utf-8").replace(" ", SPACE)
    except UnicodeDecodeError:
        return "".join(BYTES[byte] for byte in raw)


def _byte_characters() -> dict[str, int]:
    """The character that stands for each byte in ``byte_bpe`` (Radford et al. 2019)."""
    visible = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in visible]
    shown = {chr(byte): byte for byte in visible}
    return shown | {chr(256 + number): byte for number, byte in enumerate(hidden)}


_BYTE_OF = _byte_characters()


def normalizer(kind: str, *, lowercase: bool = False) -> normalizers.Normalizer:
    """The rewriting before the text is cut; reversible, but for lower case."""
    first = [normalizers.Lowercase()] if lowercase else []
    if kind == "byte_bpe":
        space = normalizers.Prepend(" ")
        return normalizers.Sequence([*first, space]) if first else space
    escapes = [normalizers.Replace(plain, escaped) for plain, escaped in _ESCAPES]
    return normalizers.Sequence(
        [*first, *escapes, normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)]
    )


def pre_tokenizer(kind: str) -> pre_tokenizers.PreTokenizer:
    """The cut into words, which no piece crosses; into characters for kind ``character``."""
    if kind == "character":
        return pre_tokenizers.Split(Regex(_ANYTHING), "isolated")
    if kind == "byte_bpe":
        words = pre_tokenizers.Split(Regex(_WORDS.format(space=" ")), "isolated")
        to_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        return pre_tokenizers.Sequence([words, to_bytes])
    return pre_tokenizers.Split(Regex(_WORDS.format(space=SPACE)), "isolated")


def decoder(kind: str) -> decoders.Decoder:
    """The way back from pieces to text."""
    strip = decoders.Strip(" ", 1, 0)
    if kind == "byte_bpe":
        return decoders.Sequence([decoders.ByteLevel(), strip])
    back = [decoders.Replace(escaped, plain) for plain, escaped in reversed(_ESCAPES)]
    return decoders.Sequence(
        [
            decoders.Replace(SPACE, " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            strip,
            *back,
        ]
    )


def assemble(
    kind: str,
    control: Sequence[str],
    pieces: Mapping[str, float],
    merges: Sequence[tuple[str, str]],
    *,
    lowercase: bool = False,
) -> Tokenizer:
    """Put a vocabulary and the stages above together.

    Args:
        kind: one of :data:`KINDS`.
        control: the special tokens and language tags; ids from 0.
        pieces: piece -> score, in the order of their ids; scores count for ``unigram`` only.
        merges: pairs of pieces in the order of their ranks, for ``bpe`` and ``byte_bpe``.
        lowercase: texts lose their capitals.
    """
    names = [*control, *(() if kind == "byte_bpe" else BYTES)]
    model: models.Model
    if kind == "unigram":
        lowest = min(pieces.values())
        scored = [(name, lowest) for name in names] + list(pieces.items())
        model = models.Unigram(scored, unk_id=UNK, byte_fallback=True)
    else:
        vocabulary = {name: index for index, name in enumerate([*names, *pieces])}
        assert len(vocabulary) == len(names) + len(pieces), "a piece twice in the vocabulary"
        model = models.BPE(
            vocabulary,
            list(merges),
            unk_token=SPECIALS[UNK],
            byte_fallback=kind != "byte_bpe",
            ignore_merges=kind == "word",
        )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizer(kind, lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizer(kind)
    tokenizer.decoder = decoder(kind)
    tokenizer.add_special_tokens([AddedToken(name, normalized=False) for name in control])
    return tokenizer


def kind_of(description: Mapping[str, Any]) -> str:
    """The kind that a parsed ``tokenizer.json`` belongs to."""
    model = description["model"]
    if model["type"] == "Unigram":
        return "unigram"
    if not model.get("byte_fallback"):
        return "byte_bpe"
    if model.get("ignore_merges"):
        return "word"
    pattern = (description["pre_tokenizer"].get("pattern") or {}).get("Regex")
    return "character" if pattern == _ANYTHING else "bpe"
