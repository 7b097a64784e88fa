"""Where the texts of a language model come from, and how they become token ids."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seqloom.recipe.section import Conflict, Section


class TextRecipe(Section):
    """Texts, what one document is, what is held out, and the vocabulary."""

    sources: tuple[str, ...] = ()
    """Files (.txt, .jsonl, .parquet; also .gz .xz .zst), folders of these, or hub:owner/name."""
    validation_sources: tuple[str, ...] = ()
    """Held-out texts; without them a share of the corpus is held out."""
    dialogues: tuple[str, ...] = ()
    """Conversations (.jsonl) in place of `sources`, for a model that has learned before."""
    chat: Literal["tokens", "text"] | None = None
    """How conversations are written, as a model that has learned from some keeps it: with tokens
    that say who speaks, or with words; decided by the vocabulary."""
    validation_share: float = Field(0.02, gt=0, lt=0.5)
    """Share that is held out when no validation files are given."""
    split: Literal["documents", "tail"] | None = None
    """What is held out: documents by content hash, at least one; or the tail of the text, which is
    cut at a line end. Left out: documents, or the tail where there is only one document."""
    documents: Literal["auto", "files", "paragraphs", "lines"] = "auto"
    """What one document of a text file is: the whole file, what stands between blank lines, or a
    line. auto: files of up to 16 MB are whole; larger ones are cut at blank lines, or where there
    are none, into lines."""
    column: str = "text"
    """Name of the column of texts (.jsonl, .parquet, hub)."""
    tokenizer: Literal["bpe", "byte_bpe", "unigram", "word", "character"] = "bpe"
    """How text is cut into tokens."""
    vocabulary: int | None = Field(None, ge=1)
    """Number of tokens; chosen from the size of the corpus when left out."""
    lowercase: bool = False
    """Texts lose their capitals: a small vocabulary holds more words, and what is written has no
    capitals."""
    mask: bool = False
    """The vocabulary has a token <mask>, as a masked model (BERT) needs."""
    deduplicate: bool = True
    """Keep one of several equal documents."""
    min_characters: int = Field(1, ge=1)
    """Documents with fewer characters, white space around them not counted, are left out."""

    def conflicts(self) -> list[Conflict]:
        """What is held out is named by files or by a rule; see :class:`Section`."""
        if self.sources and self.dialogues:
            message = (
                "data.sources, data.dialogues: a run learns from texts or from conversations; mix "
                "texts in with training.old_texts"
            )
            return [Conflict(("data.sources", "data.dialogues"), message)]
        if not (self.validation_sources and self.split):
            return []
        message = (
            f"data.split: {self.split} says how to hold a share out, but data.validation_sources "
            "names what is held out; use one of them"
        )
        return [Conflict(("data.split", "data.validation_sources"), message)]
