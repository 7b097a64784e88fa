"""A trained model with its tokenizers: text in, text out. What ``seqloom.load`` returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from seqloom.decoding.forced import score_pairs
from seqloom.decoding.hypothesis import Hypothesis
from seqloom.decoding.stream import decode_stream
from seqloom.errors import DecodingError, FolderError
from seqloom.folder import ModelFolder, load_folder
from seqloom.models.base import EncoderDecoder
from seqloom.recipe import DecodingRecipe, Recipe, override
from seqloom.runtime import choose_device
from seqloom.text.segments import split_text
from seqloom.text.tokenizer import Tokenizers

if TYPE_CHECKING:
    from seqloom.inspection.attention import AttentionRecord

_UNSPACED = ("zh", "ja", "th", "lo", "km", "my")
"""Languages that put no space between sentences."""
_WINDOW = 2048
"""Lines read ahead, so that sentences of like length are decoded together."""


@dataclass(frozen=True)
class Output:
    """One hypothesis as text."""

    text: str
    score: float
    """After length normalisation."""
    log_probability: float
    """Sum over tokens, natural logarithm."""


@dataclass(frozen=True)
class Translation:
    """A source line and its hypotheses, best first."""

    source: str
    outputs: tuple[Output, ...]

    @property
    def text(self) -> str:
        """The best hypothesis."""
        return self.outputs[0].text


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
        target_language: str | None = None,
        truncate: bool = False,
        warn: Callable[[str], None] | None = None,
        window: int | None = None,
    ) -> Iterator[Translation]:
        """Translations in input order, while the input is still being read.

        A source of more tokens than :attr:`limit` is translated in pieces, cut at the ends of
        sentences where there are any, or cut off.

        Args:
            texts: sentences.
            decoding: options; the folder's when left out.
            prefixes: how each translation must begin.
            target_language: language tag, for a model of several languages.
            truncate: cut too long a source off instead of translating it in pieces.
            warn: told of each source that is too long.
            window: sentences read ahead.

        Raises:
            DecodingError: options that contradict each other; fewer prefixes than texts; one
                string instead of several.
        """
        _refuse_string("stream", "sentences", texts)
        decoding = decoding or self.recipe.decoding
        starts = repeat("") if prefixes is None else chain(prefixes, repeat(None))
        lines = enumerate(zip(texts, starts, strict=False), start=1)
        reading = Reading(target_language, truncate, warn)
        size = window or _WINDOW
        decoded = 0
        while batch := list(islice(lines, size)):
            jobs = [self._job(number, text, start, reading) for number, (text, start) in batch]
            yield from self._translate_jobs(jobs, decoding, decoded)
            decoded += sum(len(job.pieces) for job in jobs)

    def score(self, sources: Sequence[str], targets: Sequence[str]) -> list[float]:
        """Log-probability of each target given its source, end of sentence included.

        Raises:
            DecodingError: different numbers of sources and targets, or one string instead of a
                list.
        """
        return [sum(tokens) for tokens in self.score_tokens(sources, targets)]

    def score_tokens(self, sources: Sequence[str], targets: Sequence[str]) -> list[list[float]]:
        """Log-probability of every target token and the end of the sentence, in order.

        Raises:
            DecodingError: as :meth:`score`.
        """
        _refuse_string("score", "sources", sources)
        _refuse_string("score", "targets", targets)
        if len(sources) != len(targets):
            raise DecodingError(
                f"{len(sources)} sources and {len(targets)} targets; each target needs its source."
            )
        target_ids = self.tokenizers.target.encode_batch(targets)
        return score_pairs(self.models, self.encode(sources), target_ids, self.device)

    def attention(self, text: str, target: str | None = None) -> AttentionRecord:
        """Where the decoder looks while it writes ``target``, or its own translation.

        Raises:
            DecodingError: a side is longer than the model's limit.
            SeqloomError: the model has no attention.
        """
        from seqloom.inspection.attention import record_attention

        source_ids = self.encode([text])[0]
        written = self.translate([text])[0] if target is None else target
        target_ids = self.tokenizers.target.encode(written)
        limit = self.model.max_positions
        for side, ids in (("source", source_ids), ("target", target_ids)):
            if limit is not None and len(ids) >= limit:
                raise DecodingError(
                    f"a {side} of {len(ids) + 1} tokens (end of sentence counted) is longer than "
                    f"the model's limit of {limit}; draw a shorter sentence."
                )
        return record_attention(
            self.model,
            source_ids,
            target_ids,
            self.tokenizers.source.pieces(source_ids),
            self.tokenizers.target.pieces(target_ids),
        )

    def encode(self, texts: Sequence[str], target_language: str | None = None) -> list[list[int]]:
        """Source ids, behind the language tag if the model was trained with tags."""
        tag = target_language
        if tag is None and self.recipe.data.tag:
            tag = self.recipe.data.target_language
        return self.tokenizers.source.encode_batch(texts, tag=tag)

    def _job(self, number: int, text: str, start: str | None, reading: Reading) -> _Job:
        """Source ids of a line, in pieces where it is too long."""
        if start is None:
            raise DecodingError(
                f"there is no prefix for line {number}; give one line of prefix (it may be empty) "
                "for each line of input."
            )

        def encode(part: str) -> list[int]:
            return self.encode([part], reading.language)[0]

        ids = encode(text) if text.strip() else []
        pieces = [ids]
        if len(ids) > self.limit:
            if reading.truncate:
                pieces = [ids[: self.limit]]
            else:
                parts = split_text(text, self.limit, lambda part: len(encode(part)))
                pieces = [encode(part)[: self.limit] for part in parts]
            if reading.warn is not None:
                what = f"translated in {len(pieces)} pieces"
                reading.warn(
                    f"line {number}: {len(ids)} tokens, more than the {self.limit} that the model "
                    f"was trained on; {'cut off' if reading.truncate else what}."
                )
        prefix = self.tokenizers.target.encode(start) if start else []
        return _Job(text, pieces, prefix)

    def _translate_jobs(
        self, jobs: Sequence[_Job], decoding: DecodingRecipe, first: int
    ) -> Iterator[Translation]:
        """Decode the pieces of all jobs together; ``first`` pieces were decoded before them."""
        sources = [piece for job in jobs for piece in job.pieces]
        prefixes = [
            job.prefix if index == 0 else [] for job in jobs for index in range(len(job.pieces))
        ]
        found = decode_stream(
            self.models,
            sources,
            decoding,
            device=self.device,
            prefixes=prefixes if any(prefixes) else None,
            first=first,
            window=len(sources),
        )
        for job in jobs:
            yield self._join(job, list(islice(found, len(job.pieces))))

    def _join(self, job: _Job, pieces: list[list[Hypothesis]]) -> Translation:
        """The hypotheses of a line; those of its pieces are joined rank by rank."""
        decode = self.tokenizers.target.decode_batch
        texts = [decode([h.ids for h in piece]) for piece in pieces]
        ranks = min(len(piece) for piece in pieces)
        glue = "" if self.recipe.data.target_language in _UNSPACED else " "
        joined = [
            glue.join(text[rank].strip() for text in texts) if len(texts) > 1 else texts[0][rank]
            for rank in range(ranks)
        ]
        outputs = tuple(
            Output(
                joined[rank],
                sum(piece[rank].score for piece in pieces),
                sum(piece[rank].log_probability for piece in pieces),
            )
            for rank in range(ranks)
        )
        return Translation(job.text, outputs)


@dataclass(frozen=True)
class Reading:
    """How lines become source ids."""

    language: str | None
    truncate: bool
    warn: Callable[[str], None] | None


@dataclass(frozen=True)
class _Job:
    """A line to translate: its source ids in pieces, and how the translation must begin."""

    text: str
    pieces: list[list[int]]
    prefix: list[int]


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
