"""The other sections of a recipe: every field with its meaning, its limits and its default.

Checking never edits: sizes that are left open (``None``) are chosen later, in
:mod:`seqloom.training.sizes`, and saved with the run.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seqloom.recipe.data import DataRecipe
from seqloom.recipe.models import ModelRecipe, TransformerRecipe
from seqloom.recipe.optimization import Optimization
from seqloom.recipe.section import Conflict, Section


class TrainingRecipe(Optimization):
    """How the weights of a translation model are found."""

    batch_tokens: int = Field(4096, ge=1)
    """Target positions (padding counted) in one batch."""
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    """Share of probability spread evenly over the vocabulary (Szegedy et al. 2016)."""
    consistency: Literal["none", "rdrop", "simcut"] = "none"
    """R-Drop (Wu et al. 2021) or SimCut (Gao et al. 2022): agree with oneself under noise."""
    consistency_weight: float = Field(3.0, ge=0)
    """Weight of the consistency loss."""
    consistency_from: float = Field(0.0, ge=0, lt=1)
    """Share of the updates before the consistency loss sets in; its two passes cost twice."""
    cutoff: float = Field(0.05, ge=0, lt=1)
    """SimCut: share of tokens whose embedding is cut off."""
    validate_pairs: int = Field(1000, ge=1)
    """At most this many validation pairs are translated for BLEU and chrF while training."""
    metric: Literal["bleu", "chrf", "exact", "loss"] = "bleu"
    """Validation figure that decides which weights are kept."""
    source_vectors: str | None = None
    """Word vectors that the source embeddings begin with: a folder of `seqloom vectors train`, or a
    file (.vec, .txt, .bin); random values when left out."""
    target_vectors: str | None = None
    """The same for the target. Where both sides share a vocabulary, either serves both."""
    encoder_from: str | None = None
    """Folder of a BERT that the encoder and the source embeddings begin with; sizes and switches of
    the model that are left out are taken from it. Its vocabulary: data.source_tokenizer_from."""
    decoder_from: str | None = None
    """Folder of a GPT that the decoder and the target embeddings begin with, likewise."""
    model_from: str | None = None
    """Model folder to go on from: its weights, architecture and vocabulary, which grows by the tags
    of new languages. Updates and learning rates that are left out are then smaller."""
    old_source: str | None = None
    """Test sentences of the old task, or both sides in one file: their figures are told before and
    after, so that forgetting shows."""
    old_target: str | None = None
    """Their translations."""


class DecodingRecipe(Section):
    """How hypotheses are searched for."""

    beam: int = Field(5, ge=1)
    """Beam size; 1 is greedy."""
    nbest: int = Field(1, ge=1)
    """Hypotheses returned a sentence."""
    length_penalty: Literal["wu", "average"] = "wu"
    """Length normalisation: Wu et al. 2016 (eq. 14), or division by length to the power alpha."""
    alpha: float = Field(0.6, ge=0)
    """Strength of the length normalisation; 0 is the plain log-probability. The stronger, the
    later a search can safely stop."""
    sample: bool = False
    """Draw from the model instead of searching."""
    temperature: float = Field(1.0, gt=0)
    """Sampling: below 1 sharper, above 1 flatter."""
    top_k: int | None = Field(None, ge=1)
    """Sampling: only the k most probable tokens."""
    top_p: float | None = Field(None, gt=0, le=1)
    """Sampling: the smallest set of tokens with this much probability (Holtzman et al. 2020)."""
    min_p: float | None = Field(None, gt=0, le=1)
    """Sampling: only tokens with at least this share of the most probable one's probability (Nguyen
    et al. 2024)."""
    seed: int = Field(1, ge=0)
    """Sampling: seed."""
    repetition_penalty: float = Field(1.0, gt=0)
    """Make what stands in the prompt or the output less likely: its logits are divided by this, or
    multiplied where they are negative (Keskar et al. 2019); 1 leaves them."""
    no_repeat_ngram: int = Field(0, ge=0)
    """Forbid repeating an n-gram of this many tokens, of the prompt or the output; 0 allows all."""
    max_length_factor: float = Field(2.0, gt=0)
    """Longest output in tokens: this times the length of the source or prompt ..."""
    max_length_extra: int = Field(10, ge=1)
    """... plus this."""
    max_tokens: int | None = Field(None, ge=1)
    """Longest output in tokens, whatever the length of the source or prompt."""
    stop: tuple[str, ...] = ()
    """End an output where its text holds one of these, and cut the text before it; needs a beam of
    1 or sampling."""
    batch_tokens: int = Field(4096, ge=1)
    """Source positions (padding counted) decoded together."""
    precision: Literal["auto", "float32", "bfloat16", "int8"] = "auto"
    """Number type of the matrix products; auto measures whether float32 or bfloat16 is faster here.
    Only float32 gives a sentence the same score in every batch; int8 is for processors."""

    def conflicts(self) -> list[Conflict]:
        """More hypotheses than the beam holds; strings that nothing can stop at."""
        found = []
        if not self.sample and self.nbest > self.beam:
            message = (
                f"decoding.nbest: {self.nbest} hypotheses need a beam of at least {self.nbest}, "
                f"not {self.beam}; raise --beam or lower --nbest"
            )
            found.append(Conflict(("decoding.nbest", "decoding.beam", "decoding.sample"), message))
        if self.stop and self.beam > 1 and not self.sample:
            message = (
                f"decoding.stop: a beam of {self.beam} weighs whole outputs and cannot stop at a "
                "string; use decoding.beam=1 or decoding.sample=true"
            )
            found.append(Conflict(("decoding.stop", "decoding.beam", "decoding.sample"), message))
        if "" in self.stop:
            message = "decoding.stop: an empty string would stop everything at once; leave it out"
            found.append(Conflict(("decoding.stop",), message))
        return found


class Recipe(Section):
    """A whole run."""

    data: DataRecipe = DataRecipe()
    model: ModelRecipe = TransformerRecipe()
    training: TrainingRecipe = TrainingRecipe()
    decoding: DecodingRecipe = DecodingRecipe()

    def conflicts(self) -> list[Conflict]:
        """What is wrong between sections."""
        found = []
        if self.model.tie == "all" and not self.data.joint:
            message = (
                "model.tie: 'all' shares one embedding between source and target, which needs "
                "data.joint=true; use model.tie=target with separate vocabularies"
            )
            found.append(Conflict(("model.tie", "data.joint"), message))
        training = self.training
        both = {training.source_vectors, training.target_vectors} - {None}
        if self.model.tie == "all" and len(both) > 1:
            message = (
                "training.source_vectors, training.target_vectors: model.tie=all has one embedding "
                "for both sides; give one set of vectors, trained on the text of both"
            )
            names = ("model.tie", "training.source_vectors", "training.target_vectors")
            found.append(Conflict(names, message))
        found += self._two_beginnings()
        if training.old_target and not training.old_source:
            message = f"training.old_source: missing, while old_target is {training.old_target}"
            found.append(Conflict(("training.old_source", "training.old_target"), message))
        if self.data.bpe_dropout and self.data.tokenizer != "bpe":
            message = (
                "data.bpe_dropout: works with data.tokenizer=bpe only, "
                f"not {self.data.tokenizer}; set it to 0"
            )
            found.append(Conflict(("data.bpe_dropout", "data.tokenizer"), message))
        return found

    def _two_beginnings(self) -> list[Conflict]:
        """Weights that are to begin with two things at once."""
        training = self.training
        sides = {
            "source": [training.source_vectors, training.encoder_from],
            "target": [training.target_vectors, training.decoder_from],
        }
        found = []
        if training.model_from and any(place for both in sides.values() for place in both):
            message = (
                "training.model_from: a model that goes on has weights of its own; leave "
                "source_vectors, target_vectors, encoder_from and decoder_from out"
            )
            names = (
                "training.model_from", "training.source_vectors", "training.target_vectors",
                "training.encoder_from", "training.decoder_from",
            )  # fmt: skip
            found.append(Conflict(names, message))
        for (side, both), other in zip(
            sides.items(), ("encoder_from", "decoder_from"), strict=True
        ):
            if all(both):
                message = (
                    f"training.{side}_vectors, training.{other}: both give the embeddings of the "
                    f"{side}; use one of them"
                )
                found.append(Conflict((f"training.{side}_vectors", f"training.{other}"), message))
        return found
