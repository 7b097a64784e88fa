"""Text to token ids and back, without loss: one class for all kinds of vocabulary.

Ids 0 to 3 are :mod:`seqloom.symbols`; then come ``<mask>``, if the vocabulary is one for a masked
model, language tags, bytes, and pieces. The file is a plain ``tokenizer.json`` of the
``tokenizers`` library and loads wherever that format is understood.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import tokenizers

from seqloom.errors import TokenizerError, writing
from seqloom.symbols import MASK, SPECIALS, Symbols
from seqloom.text import foreign
from seqloom.text.explain import Explanation, explain
from seqloom.text.learning import learn
from seqloom.text.pipeline import kind_of, readable
from seqloom.text.tags import TAG, tag_token

SOURCE_FILE = "tokenizer.json"
TARGET_FILE = "tokenizer.target.json"


class Tokenizer:
    """A vocabulary and the way from text to its ids and back.

    Lossless for every Unicode string: ``decode(encode(text)) == text``. Special tokens and tags are
    never found in the text itself, so a user who writes ``</s>`` gets ``</s>``.
    """

    def __init__(self, backend: tokenizers.Tokenizer, symbols: Symbols | None = None) -> None:
        # Not part of the file: "</s>" typed by a user is text and no end of sentence.
        backend.encode_special_tokens = True
        self._backend = backend
        self.size: int = backend.get_vocab_size()
        """Number of tokens."""
        self.foreign = symbols is not None
        """Whether the vocabulary was made by others, and stays as they made it."""
        self.kind: str = foreign.KIND if self.foreign else kind_of(self.description)
        """``bpe``, ``byte_bpe``, ``unigram``, ``word``, ``character`` or ``foreign``."""
        self._spelling = foreign.spelling(self.description) if self.foreign else self.kind
        added = backend.get_added_tokens_decoder()
        self._added = frozenset(added)
        masked = len(SPECIALS) in added and added[len(SPECIALS)].content == MASK
        self.symbols: Symbols = symbols or Symbols(mask=len(SPECIALS) if masked else None)
        """The ids of the special tokens."""
        first = len(SPECIALS) + masked
        self.tags: tuple[str, ...] = tuple(
            added[index].content
            for index in sorted(added)
            if (TAG.fullmatch(added[index].content) if self.foreign else index >= first)
        )
        """Language tags and marks of the vocabulary, such as ``<2de>`` and ``<bt>``."""

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        kind: str,
        size: int,
        *,
        tags: Sequence[str] = (),
        mask: bool = False,
        exact: bool = True,
        lowercase: bool = False,
    ) -> Tokenizer:
        """Learn a vocabulary; the same texts always give the same one.

        Args:
            texts: sentences; held in memory while the vocabulary is learned.
            kind: ``bpe``, ``byte_bpe``, ``unigram``, ``word`` or ``character``.
            size: number of tokens, special tokens, tags and bytes included.
            tags: target languages (``de`` or ``<2de>``) and marks (``<bt>``) that get a token of
                their own.
            mask: put ``<mask>`` behind the four special tokens, for masked models.
            exact: refuse a size that the text cannot give; otherwise take what there is.
            lowercase: texts lose their capitals, here and whenever they are cut.

        Raises:
            TokenizerError: unknown kind, no text, a size below the minimum or (with ``exact``)
                above what the text gives.
        """
        unique = list(dict.fromkeys(tag_token(tag) for tag in tags))
        control = [MASK, *unique] if mask else unique
        return cls(learn(texts, kind, size, tags=control, exact=exact, lowercase=lowercase))

    @classmethod
    def load(cls, path: str | Path) -> Tokenizer:
        """Read a ``tokenizer.json``; with a ``symbols.json`` beside it, one of any make.

        Raises:
            TokenizerError: a file is missing or damaged, or it is neither one of ours nor has a
                ``symbols.json``.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise TokenizerError(
                f"{path}: no such tokenizer file; name the folder of a model or of seqloom prepare."
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise TokenizerError(f"{path}: cannot be read as a tokenizer: {error}") from None
        try:
            backend = tokenizers.Tokenizer.from_str(text)
        except Exception as error:  # the library raises bare Exception
            raise TokenizerError(
                f"{path}: not a valid tokenizer.json ({error}); restore the file or prepare again."
            ) from None
        beside = Path(path).with_name(foreign.SYMBOLS_FILE)
        if beside.is_file():
            return cls(backend, foreign.read_symbols(beside, backend.get_vocab_size()))
        found = tuple(backend.id_to_token(index) for index in range(len(SPECIALS)))
        if found != SPECIALS:
            raise TokenizerError(
                f"{path}: ids 0 to 3 are {', '.join(map(str, found))}, expected "
                f"{', '.join(SPECIALS)}; this tokenizer was not made by seqloom prepare."
            )
        return cls(backend)

    def save(self, path: str | Path) -> None:
        """Write the ``tokenizer.json``, and the ``symbols.json`` of a foreign one beside it.

        Raises:
            FolderError: the file cannot be written.
        """
        with writing(Path(path)):
            Path(path).write_text(self._backend.to_str(pretty=True), encoding="utf-8")
            if self.foreign:
                foreign.write_symbols(Path(path).with_name(foreign.SYMBOLS_FILE), self.symbols)

    @property
    def description(self) -> dict[str, Any]:
        """The parsed ``tokenizer.json``."""
        parsed: dict[str, Any] = json.loads(self._backend.to_str())
        return parsed

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """All tokens as the file has them, in the order of their ids [V]."""
        named = self._backend.get_vocab()
        return tuple(sorted(named, key=named.__getitem__))

    @property
    def control(self) -> int:
        """How many ids, from 0, are special tokens and tags, which no text becomes."""
        if self.foreign:
            return 0
        return len(SPECIALS) + (self.symbols.mask is not None) + len(self.tags)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical ``tokenizer.json``: equal for equal tokenizers."""
        described = self.description | ({"symbols": self.symbols} if self.foreign else {})
        canonical = json.dumps(described, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode("utf-8")).hexdigest()

    def encode(self, text: str, *, tags: Sequence[str] = ()) -> list[int]:
        """Token ids of a text, without BOS and EOS, behind language tag and marks, if any.

        Raises:
            TokenizerError: an unknown tag, or text with lone surrogates, which is not Unicode.
        """
        return self.encode_batch([text], tags=tags)[0]

    def encode_batch(self, texts: Sequence[str], *, tags: Sequence[str] = ()) -> list[list[int]]:
        """:meth:`encode` for many texts at once, on all processor cores."""
        front = [self._tag_id(tag) for tag in tags]
        try:
            encodings = self._backend.encode_batch_fast(texts, add_special_tokens=False)
        except TypeError:
            _explain_refusal(texts)
            raise
        return [front + encoding.ids for encoding in encodings]

    def locate_batch(self, texts: Sequence[str]) -> list[tuple[list[int], list[tuple[int, int]]]]:
        """Token ids of each text, and for each piece its first character and the one behind it."""
        try:
            encodings = self._backend.encode_batch(texts, add_special_tokens=False)
        except TypeError:
            _explain_refusal(texts)
            raise
        return [(encoding.ids, encoding.offsets) for encoding in encodings]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids; special tokens and tags skipped, broken bytes as U+FFFD."""
        return self.decode_batch([ids])[0]

    def decode_batch(self, batch: Sequence[Sequence[int]]) -> list[str]:
        """:meth:`decode` for many sequences at once."""
        plain = [[int(index) for index in ids] for ids in batch]
        return self._backend.decode_batch(plain, skip_special_tokens=True)

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Tokens as text for pictures: ``▁`` marks the space before a word."""
        return [self._piece(int(index)) for index in ids]

    def readable(self, normalized: str) -> str:
        """A normalized word as text for pictures."""
        return readable(normalized, self._spelling)

    def words(self, text: str) -> list[str]:
        """The normalized words of a text; no piece crosses their edges."""
        normalizer = self._backend.normalizer
        return self.cut(text if normalizer is None else normalizer.normalize_str(text))

    def cut(self, normalized: str) -> list[str]:
        """Words of text that is normalized already, such as a run of joined pieces."""
        cutter = self._backend.pre_tokenizer
        if cutter is None:  # foreign: pieces may hold several words
            return [normalized] if normalized else []
        return [word for word, _ in cutter.pre_tokenize_str(normalized)]

    def encode_word(self, word: str) -> list[int]:
        """Token ids of one word as :meth:`words` gives it."""
        return [token.id for token in self._backend.model.tokenize(word)]

    def explain(self, text: str) -> Explanation:
        """How the text becomes pieces, step by step."""
        return explain(self, text)

    def _tag_id(self, tag: str) -> int:
        token = tag_token(tag)
        if token not in self.tags:
            known = ", ".join(self.tags) or "none"
            raise TokenizerError(
                f"the tokenizer has no language tag {token} (it has: {known}). Use one of these, "
                "or prepare the corpus again with data.tag=true and this target language."
            )
        index = self._backend.token_to_id(token)
        assert index is not None
        return index

    def _piece(self, index: int) -> str:
        token = self._backend.id_to_token(index)
        assert token is not None, f"id {index} in a vocabulary of {self.size}"
        control = index in self._added if self.foreign else index < self.control
        return token if control else self.readable(token)


@dataclass(frozen=True)
class Tokenizers:
    """The tokenizers of both sides; one and the same object when they share a vocabulary."""

    source: Tokenizer
    target: Tokenizer

    @property
    def joint(self) -> bool:
        """Whether both sides share one vocabulary."""
        return self.source is self.target

    @property
    def sides(self) -> tuple[Tokenizer, Tokenizer]:
        """Source and target."""
        return self.source, self.target

    @property
    def fingerprint(self) -> str:
        """Those of both sides."""
        return f"{self.source.fingerprint} {self.target.fingerprint}"

    def save(self, folder: str | Path) -> None:
        """Write ``tokenizer.json``, and ``tokenizer.target.json`` when the sides differ.

        Raises:
            FolderError: the files cannot be written.
        """
        self.source.save(Path(folder) / SOURCE_FILE)
        if not self.joint:
            self.target.save(Path(folder) / TARGET_FILE)

    @classmethod
    def load(cls, folder: str | Path) -> Tokenizers:
        """Read what :meth:`save` wrote.

        Raises:
            TokenizerError: a file is missing or damaged.
        """
        source = Tokenizer.load(Path(folder) / SOURCE_FILE)
        target = Path(folder) / TARGET_FILE
        return cls(source, Tokenizer.load(target) if target.exists() else source)


def _explain_refusal(texts: Sequence[str]) -> None:
    for number, text in enumerate(texts, 1):
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise TokenizerError(
                f"text {number} has a lone surrogate (U+{ord(text[error.start]):04X}) at character "
                f"{error.start + 1}, which is not valid Unicode; read the text as UTF-8."
            ) from None
