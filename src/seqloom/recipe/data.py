"""Where pairs come from, which of them are left out, and how they become token ids."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seqloom.recipe.section import Conflict, Section

Columns = tuple[str | int, str | int]
FilterName = Literal[
    "identical", "script", "control", "repetition", "numbers", "placeholders", "all"
]


class CorpusRecipe(Section):
    """One of several corpora."""

    source: str
    """File with the source sentences, one file with both sides, or hub:owner/name."""
    target: str | None = None
    """File with the target sentences, aligned line by line with `source`."""
    source_language: str | None = None
    """Language code of the source."""
    target_language: str | None = None
    """Language code of the target."""
    columns: Columns | None = None
    """Names or numbers (from 0) of the source and the target column."""
    format: str | None = None
    """Format of one file with both sides, such as tsv, where its name does not tell."""
    both_directions: bool = False
    """Also train from target to source."""
    mark: str | None = Field(None, pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    """A word that stands as <word> before each source, such as bt for back-translated pairs
    (Caswell et al. 2019)."""
    share: float | None = Field(None, gt=0, lt=1)
    """Share of the pairs seen in training; by `temperature` when left out."""


class DataRecipe(Section):
    """Where the pairs come from and how they become token ids."""

    source: str | None = None
    """File with the source sentences; or one file with both sides (.tsv, .csv, .jsonl, .parquet,
    .tmx, .xlf, .po, .mo), or hub:owner/name."""
    target: str | None = None
    """File with the target sentences, aligned line by line with `source`."""
    validation_source: str | None = None
    """Held-out source sentences; without them a share of the corpus is held out."""
    validation_target: str | None = None
    """Held-out target sentences."""
    test_source: str | None = None
    """Test sentences: pairs with one of these sources, or of its translations, are left out of
    training."""
    test_target: str | None = None
    """Their translations."""
    source_language: str | None = None
    """Language code of the source, such as en; guessed from the file suffix."""
    target_language: str | None = None
    """Language code of the target, such as de; guessed from the file suffix."""
    columns: Columns | None = None
    """Names or numbers (from 0) of the source and the target column, in formats with columns."""
    format: str | None = None
    """Format of one file with both sides, such as tsv, where its name does not tell."""
    corpora: tuple[CorpusRecipe, ...] = ()
    """Several corpora, each with its own files, languages and share, in place of `source`."""
    temperature: float = Field(1.0, ge=1)
    """Corpora of n pairs are seen in proportion to n^(1/temperature): 1 keeps their natural shares,
    5 brings small ones up (Arivazhagan et al. 2019)."""
    tag: Literal[False, True, "both"] = False
    """Put the target language (<2de>) before each source, so that one model serves several; both:
    before each side its own language, as with M2M100 and NLLB."""
    validation_share: float = Field(0.02, gt=0, lt=0.5)
    """Share of pairs held out, by content hash, when no validation files are given."""
    tokenizer: Literal["bpe", "byte_bpe", "unigram", "word", "character"] = "bpe"
    """How text is cut into tokens."""
    vocabulary: int | None = Field(None, ge=1)
    """Number of tokens; chosen from the size of the corpus when left out."""
    source_tokenizer_from: str | None = None
    """Model folder whose (source) vocabulary is taken instead of learning one, as for an encoder
    that begins with that model; of both sides where they share one."""
    target_tokenizer_from: str | None = None
    """The same for the target."""
    joint: bool = True
    """One vocabulary for both languages; needed for three-way tied embeddings."""
    bpe_dropout: float = Field(0.0, ge=0, lt=1)
    """Chance to skip each merge in training (Provilkov et al. 2020); for bpe only."""
    max_length: int = Field(256, ge=2)
    """Pairs with a side of more tokens are left out of training."""
    max_ratio: float = Field(9.0, gt=1)
    """Pairs whose sides differ more than this in length (characters) are left out."""
    deduplicate: bool = True
    """Keep one of several equal pairs."""
    drop_near_duplicates: bool = False
    """Also leave out pairs that differ from an earlier one only in case, punctuation, white space
    and the values of digits."""
    filters: tuple[FilterName, ...] = ()
    """What else is left out: pairs with equal sides (`identical`), with a side in the wrong script
    (`script`), with control characters (`control`), with long repetitions (`repetition`), with
    numbers (`numbers`) or placeholders and tags (`placeholders`) on one side only; `all` for all
    of these."""
    min_script: float = Field(0.05, gt=0, le=1)
    """`script`: least share of a side's letters in a script of its language; 0.5 suits prose."""
    max_run: int = Field(11, ge=2)
    """`repetition`: longest run of one character, or of a repeated word."""
    max_number_difference: float = Field(0.5, ge=0, lt=1)
    """`numbers`: largest share of a pair's numbers that are on one side only."""
    max_placeholder_difference: int = Field(0, ge=0)
    """`placeholders`: how many may be on one side only."""
    until_error: bool = False
    """Keep what a broken file holds before its error, instead of refusing it."""

    def duplicates(self) -> Literal["none", "equal", "alike"]:
        """Which pairs that came before are left out."""
        if self.drop_near_duplicates:
            return "alike"
        return "equal" if self.deduplicate else "none"

    def conflicts(self) -> list[Conflict]:
        """One corpus or several; see :class:`Section`."""
        found = []
        if self.corpora and (self.source or self.target):
            found.append(
                Conflict(
                    ("data.corpora", "data.source"),
                    "data.corpora and data.source both name what to train on; use one of them",
                )
            )
        both = {self.source_tokenizer_from, self.target_tokenizer_from} - {None}
        if self.joint and len(both) > 1:
            message = (
                "data.source_tokenizer_from, data.target_tokenizer_from: both sides share one "
                "vocabulary; name one, or set data.joint=false"
            )
            names = ("data.source_tokenizer_from", "data.target_tokenizer_from", "data.joint")
            found.append(Conflict(names, message))
        if self.tag == "both" and not self.joint:
            message = (
                "data.tag: 'both' puts tokens of languages before sources and targets, which needs "
                "data.joint=true"
            )
            found.append(Conflict(("data.tag", "data.joint"), message))
        shares = [corpus.share for corpus in self.corpora if corpus.share]
        if sum(shares) >= 1 and len(shares) < len(self.corpora):
            found.append(
                Conflict(
                    ("data.corpora",),
                    f"data.corpora: shares add up to {sum(shares):g}, which leaves nothing for the "
                    "corpora without one; lower them",
                )
            )
        return found
