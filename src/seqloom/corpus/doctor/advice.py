"""Advice for training on a corpus like this, each piece with what it rests on.

Sizes that a recipe leaves open are chosen by themselves when training begins; what is said here
agrees with that, and says why.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

_WU = "Wu et al. 2021, Good for Misconceived Reasons; recipes/multi30k-en-de.yaml"
_ARAABI = "Araabi and Monz 2020, Optimizing Transformer for Low-Resource NMT"
_VASWANI = "Vaswani et al. 2017, Attention Is All You Need"
_SENNRICH = "Sennrich and Zhang 2019, Revisiting Low-Resource NMT"
_GOWDA = "Gowda and May 2020, Finding the Optimal Vocabulary Size"
_PROVILKOV = "Provilkov et al. 2020, BPE-Dropout"

_SMALL, _LARGE = 100_000, 1_000_000
"""Pairs from which the next larger model is worth its cost."""

_VOCABULARIES = (
    (10_000, 2000, _SENNRICH),
    (25_000, 4000, f"{_SENNRICH}; recipes/tatoeba-en-ru.yaml"),
    (100_000, 8000, "measured on Multi30k: 4,000 learns worse, 12,000 slower (docs/log.md)"),
    (1_000_000, 16_000, _GOWDA),
)
_LARGEST_VOCABULARY = 32_000
_FILTERS = ("identical", "script", "control", "repetition", "placeholders")
_HERE = "this corpus"
_MANY_ALIKE = 0.05  # share of near duplicates from which they are worth dropping
_MAX_TOKENS = 256  # default of data.max_length
_TOKEN = {"words": 4.0, "characters": 1.5}  # characters of a token, about


@dataclass(frozen=True)
class Setting:
    """Settings to paste, why, and where the advice comes from."""

    settings: tuple[str, ...]
    """Each as ``--set`` takes it; none where people have to look first."""
    why: str
    source: str


@dataclass(frozen=True)
class Facts:
    """What the advice rests on."""

    pairs: int
    """Pairs without those that repeat an earlier one."""
    alike: float
    """Share of pairs that are nearly equal to an earlier one."""
    scripts: tuple[str | None, str | None]
    """The script of most letters of each side."""
    units: tuple[str, str]
    """What words are counted in: ``words``, or ``characters`` for scripts without spaces."""
    longest: tuple[float, float]
    """Characters that 99 % of the texts of each side do not exceed."""
    signs: Mapping[str, int]
    """Pairs with each sign."""
    leaks: int
    """Pairs of the corpus that share a text with a held-out set."""


def settings_for(facts: Facts) -> list[Setting]:
    """Sizes of vocabulary and model, dropout, and what the scripts and lengths ask for."""
    found = [_model(facts.pairs), _vocabulary(facts.pairs), _sharing(facts.scripts)]
    if "characters" in facts.units:
        why = "a side has no spaces between words; unigram finds likely pieces anyway"
        source = "Kudo 2018, Subword Regularization; recipes/tatoeba-en-zh.yaml"
        found.append(Setting(("data.tokenizer=unigram",), why, source))
    elif facts.pairs >= _SMALL:
        why = (
            "worth a try from this size on; a small model on 29,000 pairs was 5 BLEU behind with "
            "it after as many updates (docs/log.md)"
        )
        found.append(Setting(("data.bpe_dropout=0.1",), why, _PROVILKOV))
    lengths = zip(facts.longest, facts.units, strict=True)
    tokens = max(characters / _TOKEN[unit] for characters, unit in lengths)
    if tokens > _MAX_TOKENS:
        longest = 2 ** math.ceil(math.log2(tokens))
        why = (
            f"one text in a hundred has more than about {tokens:,.0f} tokens; pairs over the limit "
            "are left out of training"
        )
        found.append(Setting((f"data.max_length={longest}",), why, _HERE))
    return found


def cleaning_for(facts: Facts) -> list[Setting]:
    """Which cleaning to switch on, given what was found."""
    found = []
    names = [name for name in _FILTERS if facts.signs.get(name)]
    if names:
        counts = ", ".join(f"{name} {facts.signs[name]:,}" for name in names)
        found.append(Setting((f"data.filters=[{','.join(names)}]",), f"pairs: {counts}", _HERE))
    if numbers := facts.signs.get("numbers"):
        why = (
            f"pairs with numbers on one side only: {numbers:,}; add the filter numbers if the "
            "examples are faults; a digit beside a number word is none"
        )
        found.append(Setting((), why, _HERE))
    if facts.alike > _MANY_ALIKE:
        why = f"{facts.alike:.0%} of the pairs nearly repeat an earlier one"
        source = "Lee et al. 2022, Deduplicating Training Data Makes Language Models Better"
        found.append(Setting(("data.drop_near_duplicates=true",), why, source))
    if facts.leaks:
        why = (
            f"pairs that share a text with a held-out set: {facts.leaks:,}; where these settings "
            "name that set, pairs with its source texts are left out of training"
        )
        settings = ("data.validation_source=FILE", "data.validation_target=FILE")
        found.append(Setting(settings, why, _HERE))
    return found


def _model(pairs: int) -> Setting:
    if pairs < _SMALL:
        why = "larger models learn a corpus of this size by heart, hence also the high dropout"
        return Setting(_sizes(128, 256, 4, 4, 0.3), why, f"{_WU}; {_ARAABI}")
    if pairs < _LARGE:
        why = "a middle size for a middle corpus; the more pairs, the less dropout"
        return Setting(_sizes(256, 1024, 4, 4, 0.2), why, _ARAABI)
    return Setting(_sizes(512, 2048, 8, 6, 0.1), "the base size, for millions of pairs", _VASWANI)


def _sizes(
    width: int, feedforward: int, heads: int, layers: int, dropout: float
) -> tuple[str, ...]:
    return (
        f"model.width={width}",
        f"model.feedforward={feedforward}",
        f"model.heads={heads}",
        f"model.encoder_layers={layers}",
        f"model.decoder_layers={layers}",
        f"model.dropout={dropout}",
    )


def _vocabulary(pairs: int) -> Setting:
    why = "about; chosen by the number of pairs when left out, since rare pieces are badly learned"
    for limit, size, source in _VOCABULARIES:
        if pairs < limit:
            return Setting((f"data.vocabulary={size}",), why, source)
    return Setting((f"data.vocabulary={_LARGEST_VOCABULARY}",), why, _GOWDA)


def _sharing(scripts: tuple[str | None, str | None]) -> Setting:
    if scripts[0] == scripts[1]:
        why = (
            "both sides are in one script: they share pieces, and one matrix serves all three uses"
        )
        return Setting(("data.joint=true", "model.tie=all"), why, _VASWANI)
    why = "the sides are in different scripts and share few pieces"
    return Setting(("data.joint=false", "model.tie=target"), why, "recipes/tatoeba-en-ru.yaml")
