"""A trained model with its tokenizers: text in, text out. What ``seqloom.load`` returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import torch

from seqloom.decoding.forced import score_pairs
from seqloom.decoding.stream import decode_stream
from seqloom.errors import DecodingError, FolderError
from seqloom.folder import ModelFolder, load_folder
from seqloom.layers.linear import int8_available, lowered
from seqloom.layers.recorder import recording
from seqloom.lines import Line, LineReader, Translation, join
from seqloom.models.base import EncoderDecoder
from seqloom.recipe import DecodingRecipe, Recipe, override
from seqloom.runtime import choose_device, faster_precision
from seqloom.text.framing import Framing
from seqloom.text.pieces import ids_in_words
from seqloom.text.tags import Languages
from seqloom.text.tokenizer import Tokenizers

if TYPE_CHECKING:
    from seqloom.inspection.attention import AttentionRecord

_WINDOW = 2048
"""Lines read ahead, so that sentences of like length are decoded together."""


class Translator:
    """One model, or an ensemble of several that share their tokenizers."""

    def __init__(
        self,
        models: Sequence[EncoderDecoder],
        tokenizers: Tokenizers,
        recipe: Recipe,
        device: torch.device,
        folder: Path | None = None,
    ) -> None:
        self.models = list(models)
        self.tokenizers = tokenizers
        self.recipe = recipe
        self.device = device
        self.folder = folder
        self._lowered: dict[str, list[EncoderDecoder]] = {}

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        device: str | torch.device | None = None,
        companions: Sequence[str | Path] = (),
    ) -> Translator:
        """Read a model folder, and those of its companions in an ensemble.

        Raises:
            FolderError: a folder is missing or damaged, or a companion has other tokenizers.
        """
        where = device if isinstance(device, torch.device) else choose_device(device)
        first, *others = (load_folder(path, where) for path in (folder, *companions))
        for other in others:
            _check_companion(first, other)
        models = [each.model for each in (first, *others)]
        return cls(models, first.tokenizers, first.recipe, where, first.path)

    @property
    def model(self) -> EncoderDecoder:
        """The (first) model."""
        return self.models[0]

    @property
    def limit(self) -> int:
        """Longest source in tokens: what training saw, or what the positions allow."""
        limits = [self.recipe.data.max_length]
        limits += [m.max_positions - 1 for m in self.models if m.max_positions is not None]
        return min(limits)

    def translate(self, texts: Sequence[str], **options: Any) -> list[str]:
        """The best translation of each text, in order.

        Args:
            texts: sentences; an empty one stays empty.
            options: fields of the decoding recipe, such as ``beam=5``.

        Raises:
            DecodingError: an unknown or impossible option, or one string instead of a list.
        """
        _refuse_string("translate", "sentences", texts)
        decoding = override(self.recipe.decoding, options)
        return [translation.text for translation in self.stream(texts, decoding)]

    def stream(
        self,
        texts: Iterable[str],
        decoding: DecodingRecipe | None = None,
        *,
        prefixes: Iterable[str] | None = None,
        truncate: bool = False,
        warn: Callable[[str], None] | None = None,
        window: int | None = None,
        **languages: Unpack[Languages],
    ) -> Iterator[Translation]:
        """Translations in input order, while the input is still being read.

        A source of more tokens than :attr:`limit` is translated in pieces, cut at the ends of
        sentences where there are any, or cut off.

        Args:
            texts: sentences.
            decoding: options; the folder's when left out.
            prefixes: how each translation must begin.
            truncate: cut too long a source off instead of translating it in pieces.
            warn: told of each source that is too long.
            window: sentences read ahead.
            languages: ``target_language`` for a model of several, ``source_language`` for one that
                is told that too.

        Raises:
            DecodingError: options that contradict each other; fewer or more prefixes than texts;
                one string instead of several.
        """
        _refuse_string("stream", "sentences", texts)
        decoding = decoding or self.recipe.decoding
        given = None if prefixes is None else iter(prefixes)
        starts = repeat("") if given is None else chain(given, repeat(None))
        numbered = enumerate(zip(texts, starts, strict=False), start=1)
        framing = self.framing(**languages)
        read = LineReader(
            encode=lambda text: framing.sources([text])[0],
            encode_prefix=lambda text: framing.targets([text])[0],
            limit=self.limit,
            truncate=truncate,
            warn=warn,
        )
        decoded = 0
        while batch := list(islice(numbered, window or _WINDOW)):
            lines = [read(number, text, start) for number, (text, start) in batch]
            yield from self._translate_lines(lines, decoding, decoded, framing.begun)
            decoded += sum(len(line.pieces) for line in lines)
        if given is not None and next(given, None) is not None:
            raise DecodingError(
                "there are more lines of prefix than of input; give one line of prefix (it may be "
                "empty) for each line of input."
            )

    def score(
        self, sources: Sequence[str], targets: Sequence[str], **languages: Unpack[Languages]
    ) -> list[float]:
        """Log-probability of each target given its source, end of sentence included.

        ``languages``: as of :meth:`stream`.

        Raises:
            DecodingError: different numbers of sources and targets, or one string instead of a
                list.
        """
        return [sum(tokens) for tokens in self.score_tokens(sources, targets, **languages)]

    def score_tokens(
        self, sources: Sequence[str], targets: Sequence[str], **languages: Unpack[Languages]
    ) -> list[list[float]]:
        """Log-probability of every target token and the end of the sentence, in order.

        Where a target begins with the token of its language, that is the first of them.

        Raises:
            DecodingError: as :meth:`score`.
        """
        _refuse_string("score", "sources", sources)
        _refuse_string("score", "targets", targets)
        if len(sources) != len(targets):
            raise DecodingError(
                f"{len(sources)} sources and {len(targets)} targets; each target needs its source."
            )
        framing = self.framing(**languages)
        ids = framing.sources(sources), framing.targets(targets)
        return score_pairs(self.models, *ids, self.device)

    def attention(
        self,
        text: str,
        target: str | None = None,
        *,
        details: bool = False,
        **languages: Unpack[Languages],
    ) -> AttentionRecord:
        """Where the model looks while it reads ``text`` and writes ``target``, or its own
        translation; with ``details`` queries, keys, values and scores are kept, too.

        Raises:
            DecodingError: a side is longer than the model's limit.
            SeqloomError: the model has no attention.
        """
        from seqloom.inspection.recording import record_pair

        framing = self.framing(**languages)
        if target is None:
            target = next(self.stream([text], **languages)).text
        source_ids, target_ids = framing.sources([text])[0], framing.targets([target])[0]
        sides = {
            "source": ids_in_words(self.tokenizers.source, text, source_ids),
            "target": ids_in_words(self.tokenizers.target, target, target_ids),
        }
        return record_pair(
            self.model,
            source_ids,
            target_ids,
            {name: pieces for name, (pieces, _) in sides.items()},
            words={name: firsts for name, (_, firsts) in sides.items()},
            title=f"{text} → {target}",
            details=details,
        )

    def encode(self, texts: Sequence[str], **languages: Unpack[Languages]) -> list[list[int]]:
        """Source ids, behind the language tag if the model was trained with tags.

        Raises:
            DecodingError: as :meth:`framing`.
        """
        return self.framing(**languages).sources(texts)

    def framing(self, **languages: Unpack[Languages]) -> Framing:
        """How texts become ids; languages that are not named are those of the folder.

        Raises:
            DecodingError: the model has several languages and none is named, or one is named that
                it cannot be told.
        """
        return Framing.of(self.tokenizers, self.recipe.data, languages)

    def _ready(self, precision: str) -> list[EncoderDecoder]:
        """The models as they decode in ``precision``, made once; themselves under a recorder."""
        if recording():
            return self.models
        if precision == "auto":
            precision = faster_precision(self.device)
        if precision == "int8" and not (self.device.type == "cpu" and int8_available()):
            raise DecodingError(
                "decoding.precision=int8: needs a processor and a torch that multiplies 8-bit "
                f"integers on it, and the model is on {self.device}; take bfloat16 or leave it out."
            )
        if precision not in self._lowered:
            self._lowered[precision] = [lowered(model, precision) for model in self.models]
        return self._lowered[precision]

    def _translate_lines(
        self, lines: Sequence[Line], decoding: DecodingRecipe, first: int, begun: list[int]
    ) -> Iterator[Translation]:
        """Decode the pieces of all lines together.

        ``first`` pieces were decoded before them; each begins with ``begun``, if with nothing else.
        """
        sources = [piece for line in lines for piece in line.pieces]
        prefixes = [
            line.prefix if index == 0 and line.prefix else begun
            for line in lines
            for index in range(len(line.pieces))
        ]
        found = decode_stream(
            self._ready(decoding.precision),
            sources,
            decoding,
            device=self.device,
            prefixes=prefixes if any(prefixes) else None,
            first=first,
            window=len(sources),
        )
        for line in lines:
            pieces = list(islice(found, len(line.pieces)))
            yield join(line, pieces, self.tokenizers.target.decode_batch)


def _refuse_string(verb: str, what: str, texts: Iterable[str]) -> None:
    """A string is a sequence of strings too, and hardly ever meant as one."""
    if isinstance(texts, str):
        raise DecodingError(f"{verb} takes a list of {what}, and got one string: write [text].")


def _check_companion(first: ModelFolder, other: ModelFolder) -> None:
    ours, theirs = first.tokenizers, other.tokenizers
    if (ours.source.fingerprint, ours.target.fingerprint) != (
        theirs.source.fingerprint,
        theirs.target.fingerprint,
    ):
        raise FolderError(
            f"{other.path} has another tokenizer than {first.path}; models of an ensemble must be "
            "trained on one prepared corpus (seqloom prepare, then train each with it)."
        )


def load(folder: str | Path, *, device: str | None = None) -> Translator:
    """A trained model from its folder: :meth:`Translator.load`."""
    return Translator.load(folder, device=device)
