"""How the two sides of a pair become ids, behind the tokens of their languages if there are any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seqloom.errors import DecodingError
from seqloom.recipe import DataRecipe
from seqloom.text.tags import Fronts, Languages, fronts
from seqloom.text.tokenizer import Tokenizers

_NAMED = 8
"""Language tags that a message lists, of perhaps a hundred."""


@dataclass(frozen=True)
class Framing:
    """The tokenizers of a model, and what it is told about a pair."""

    tokenizers: Tokenizers
    fronts: Fronts

    @classmethod
    def of(cls, tokenizers: Tokenizers, data: DataRecipe, languages: Languages) -> Framing:
        """For pairs of these languages; those that are not named are the recipe's.

        Raises:
            DecodingError: the model has several languages and none is named, or one is named that
                it cannot be told.
        """
        target, source = languages.get("target_language"), languages.get("source_language")
        if source and data.tag != "both":
            raise DecodingError(
                "this model is not told from which language it translates; leave "
                "--source-language (source_language=...) out."
            )
        if target and not data.tag:
            return cls(tokenizers, fronts(True, None, target))
        target, source = target or data.target_language, source or data.source_language
        if data.tag and target is None:
            raise _unnamed("into", "target", tokenizers)
        if data.tag == "both" and source is None:
            raise _unnamed("from", "source", tokenizers)
        return cls(tokenizers, fronts(data.tag, source, target))

    @property
    def begun(self) -> list[int]:
        """The ids that each target begins with."""
        return self.targets([""])[0]

    def sources(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of sources, without their end."""
        return self.tokenizers.source.encode_batch(texts, tags=self.fronts.source)

    def targets(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of targets, without beginning and end."""
        return self.tokenizers.target.encode_batch(texts, tags=self.fronts.target)


def _unnamed(way: str, side: str, tokenizers: Tokenizers) -> DecodingError:
    tags = tokenizers.source.tags
    known = ", ".join(tags[:_NAMED]) + (", ..." if len(tags) > _NAMED else "")
    return DecodingError(
        f"this model translates {way} several languages ({known}); say {way} which with "
        f"--{side}-language, or {side}_language=..."
    )
