"""A language model with its tokenizer: a causal one continues a text, a masked one fills holes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from seqloom.corpus.dialogues import ROLES, Message
from seqloom.decoding.pieces import write_stream
from seqloom.decoding.stopping import before_stop
from seqloom.decoding.stream import decode_stream
from seqloom.errors import DecodingError, FolderError
from seqloom.language_folder import LanguageFolder, load_language_folder
from seqloom.layers.linear import int8_available, lowered
from seqloom.layers.recorder import recording
from seqloom.models.base import CausalModel, MaskedModel
from seqloom.recipe import DecodingRecipe, override
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.runtime import choose_device, faster_precision
from seqloom.symbols import MASK
from seqloom.text.chat import Form, prompt_ids
from seqloom.text.pieces import words_of
from seqloom.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from seqloom.inspection.attention import AttentionRecord


@dataclass(frozen=True)
class Continuation:
    """What a model wrote after a prompt."""

    text: str
    log_probability: float
    """Natural logarithm of the model's probability of its tokens, end included if it wrote one."""
    tokens: int
    finished: bool
    """False where the longest output, or the context, cut it off."""


@dataclass(frozen=True)
class Surprise:
    """How surprised a model is by a text."""

    log_probability: float
    """Natural logarithm of the probability of all its tokens and its end."""
    tokens: int
    """Their number."""

    @property
    def perplexity(self) -> float:
        """The exponential of the mean surprise of a token."""
        return math.exp(-self.log_probability / max(1, self.tokens))


def _message(given: Mapping[str, str]) -> Message:
    role, content = given.get("role"), given.get("content")
    if role not in ROLES or not isinstance(content, str):
        raise DecodingError(
            f"{given!r} is no message; expected a role ({', '.join(ROLES)}) and a content."
        )
    return Message(role, content)


def following(tokenizer: Tokenizer, prompt: Sequence[int]) -> Callable[[Sequence[int]], str]:
    """From ids that follow those of ``prompt`` to their text, with the space between the two."""
    front = tokenizer.decode(prompt)
    return lambda ids: tokenizer.decode([*prompt, *ids])[len(front) :]


class LanguageModel:
    """A model of a folder that :func:`seqloom.pretrain` or an import wrote."""

    def __init__(self, folder: LanguageFolder[Any], device: torch.device) -> None:
        assert isinstance(folder.recipe, PretrainRecipe)
        self.folder = folder.path
        self.model = folder.model
        self.tokenizer = folder.tokenizer
        self.recipe = folder.recipe
        self.device = device
        self._lowered: dict[str, Any] = {}

    @classmethod
    def load(cls, folder: str | Path, *, device: str | torch.device | None = None) -> LanguageModel:
        """Read the folder of a language model.

        Raises:
            FolderError: not such a folder, or damaged.
        """
        where = choose_device(str(device) if device is not None else None)
        return cls(load_language_folder(folder, ("language",), where), where)

    def generate(self, prompts: Iterable[str], **options: Any) -> list[list[Continuation]]:
        """What follows each prompt: ``nbest`` texts each, best first.

        Args:
            prompts: beginnings; an empty one lets the model begin.
            options: fields of :class:`DecodingRecipe`, such as ``temperature`` or ``beam``.

        Raises:
            DecodingError: impossible options, a prompt that fills the context, or a masked model.
        """
        return list(self.stream(prompts, override(self.recipe.decoding, options)))

    def stream(
        self, prompts: Iterable[str], options: DecodingRecipe
    ) -> Iterator[list[Continuation]]:
        """:meth:`generate` for prompts that are read as they are needed, in their order."""
        begun: deque[list[int]] = deque()

        def encoded() -> Iterator[list[int]]:
            for prompt in prompts:
                begun.append(self.tokenizer.encode(prompt))
                yield begun[-1]

        found = decode_stream(
            [self._ready(options)],
            encoded(),
            options,
            device=self.device,
            decode=self.tokenizer.decode,
        )
        for several in found:
            decode = following(self.tokenizer, begun.popleft())
            yield [
                Continuation(
                    before_stop(decode(one.ids), options.stop),
                    one.log_probability,
                    len(one.token_log_probabilities),
                    one.finished,
                )
                for one in several
            ]

    def write(self, prompt: str, options: DecodingRecipe) -> Iterator[str]:
        """Pieces of one continuation, each as soon as it is certain; see :func:`write_stream`."""
        ids = self.tokenizer.encode(prompt)
        return write_stream(
            [self._ready(options)],
            ids,
            options,
            device=self.device,
            decode=following(self.tokenizer, ids),
        )

    def attention(self, text: str, *, details: bool = False) -> AttentionRecord:
        """Where the model looks while it reads a text.

        Args:
            text: holes in it are written ``<mask>``.
            details: keep queries, keys, values and scores, too.

        Raises:
            DecodingError: the text is longer than the model's context.
        """
        from seqloom.inspection.recording import record_text

        found, symbols = words_of(self.tokenizer, text), self.tokenizer.symbols
        ids = [symbols.begin, *found.ids]
        if isinstance(self.model, MaskedModel):
            ids.append(symbols.end)
        if len(ids) > self.recipe.model.context:
            raise DecodingError(
                f"a text of {len(ids)} tokens (symbols around it counted) is longer than the "
                f"model's context of {self.recipe.model.context}; draw a shorter one."
            )
        words = [0, *(1 + first for first in found.firsts), *range(len(found.ids) + 1, len(ids))]
        tokens = self.tokenizer.pieces(ids)
        return record_text(self.model, ids, tokens, words=words, title=text, details=details)

    def chat(self, messages: Sequence[Mapping[str, str]], **options: Any) -> str:
        """The answer to a conversation, of a model that has learned from dialogues.

        Args:
            messages: ``{"role": "user", "content": "..."}`` and so on, the last one the user's.
            options: fields of :class:`DecodingRecipe`, such as ``temperature``.

        Raises:
            DecodingError: another model, impossible options or messages.
        """
        return "".join(self.answer(messages, override(self.recipe.decoding, options)))

    def answer(
        self, messages: Sequence[Mapping[str, str]], options: DecodingRecipe
    ) -> Iterator[str]:
        """Pieces of the answer of :meth:`chat`, each as soon as it is certain."""
        said = [_message(each) for each in messages]
        prompt = prompt_ids(self.tokenizer, self.form, said, self.model.max_positions)
        decode = self.tokenizer.decode
        model = [self._ready(options)]
        pieces = write_stream(model, prompt, options, device=self.device, decode=decode)
        first = next(pieces, "").removeprefix(" ")
        return chain([first] if first else [], pieces)

    @property
    def form(self) -> Form:
        """How the model writes a conversation.

        Raises:
            DecodingError: it has not learned to converse, or cannot write at all.
        """
        self.writer()
        form = self.recipe.data.chat
        if form is None:
            raise DecodingError(
                f"{self.folder} holds a model that has not learned to converse. Teach it: seqloom "
                f"pretrain gpt --from {self.folder} --dialogues FILE.jsonl --out DIR"
            )
        return form

    def writer(self) -> CausalModel:
        """The model, if it can write.

        Raises:
            DecodingError: a masked model.
        """
        if not isinstance(self.model, CausalModel):
            raise DecodingError(
                f"{self.folder} holds a masked model (BERT), which fills holes and cannot go on "
                "with a text; train one that writes: seqloom pretrain gpt --help"
            )
        return self.model

    def _ready(self, options: DecodingRecipe) -> CausalModel:
        """The model, multiplying as the options say."""
        model = self.writer()
        precision: str = options.precision
        if precision == "int8" and (self.device.type != "cpu" or not int8_available()):
            raise DecodingError("decoding.precision: int8 is for processors; use bfloat16.")
        if precision == "auto":
            precision = faster_precision(self.device)
        if precision == "float32" or recording():
            return model
        if precision not in self._lowered:
            self._lowered[precision] = lowered(model, precision)
        return self._lowered[precision]

    @torch.inference_mode()
    def surprises(self, texts: Sequence[str]) -> list[Surprise]:
        """How surprised a causal model is by each text; long ones are read a context at a time.

        Raises:
            DecodingError: a masked model.
        """
        if not isinstance(self.model, CausalModel):
            raise DecodingError(f"{self.folder} holds a masked model, which scores no whole text.")
        return [self._surprise(self.model, text) for text in texts]

    def _surprise(self, model: CausalModel, text: str) -> Surprise:
        symbols, context = model.symbols, model.max_positions or 1 << 30
        ids = [symbols.begin, *self.tokenizer.encode(text), symbols.end]
        total = 0.0
        for start in range(0, len(ids) - 1, context):
            part = torch.tensor([ids[start : start + context + 1]], device=self.device)
            logits = model.project(model(part[:, :-1])).float()
            found = logits.log_softmax(-1).gather(2, part[:, 1:, None])
            total += float(found.sum())
        return Surprise(total, len(ids) - 1)

    @torch.inference_mode()
    def fill(self, text: str, count: int = 5) -> list[list[tuple[str, float]]]:
        """For each ``<mask>`` of a text, the ``count`` likeliest tokens with their probabilities.

        Raises:
            FolderError: a causal model, or a vocabulary without a mask.
            DecodingError: no ``<mask>``, or a text longer than the context.
        """
        model, symbols = self.model, self.tokenizer.symbols
        if not isinstance(model, MaskedModel) or symbols.mask is None:
            raise FolderError(f"{self.folder} holds no masked model; it cannot fill holes.")
        parts = text.split(MASK)
        if len(parts) == 1:
            raise DecodingError(f"no {MASK} in the text; put it where a token is missing.")
        ids = [symbols.begin]
        for number, part in enumerate(parts):
            # A space before a hole belongs to the token that fills it.
            following = self.tokenizer.encode(part.rstrip(" ") if number < len(parts) - 1 else part)
            ids += following if number == 0 else [symbols.mask, *following]
        ids.append(symbols.end)
        limit = model.max_positions
        if limit is not None and len(ids) > limit:
            raise DecodingError(
                f"the text has {len(ids)} tokens, and the model reads {limit}; shorten it."
            )
        source = torch.tensor([ids], device=self.device)
        hidden = model(source)[source == symbols.mask]
        shares, found = model.project(hidden).float().softmax(-1).topk(count, dim=-1)
        pieces = [self.tokenizer.pieces(row) for row in found.tolist()]
        return [
            list(zip(row, share, strict=True))
            for row, share in zip(pieces, shares.tolist(), strict=True)
        ]
