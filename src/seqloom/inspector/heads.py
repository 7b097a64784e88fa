"""The role of every head of a model, from its folder and texts to a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from seqloom.corpus.pairs import Progress
from seqloom.corpus.trees import Tree, Treebank
from seqloom.decoding.stream import decode_stream
from seqloom.errors import CorpusError, SeqloomError
from seqloom.inspection.head_importance import Translations, importance
from seqloom.inspection.head_reading import Looks, Text, batches, read
from seqloom.inspection.head_roles import heads_of
from seqloom.inspection.head_statistics import Statistics, counts_of
from seqloom.inspection.head_syntax import Syntax
from seqloom.inspection.heads_record import HeadsRecord
from seqloom.inspection.recording import NO_ATTENTION, ReadableModel
from seqloom.inspector.words import pieces_of_trees
from seqloom.language_model import LanguageModel
from seqloom.models.base import MaskedModel
from seqloom.text.framing import Framing
from seqloom.text.tags import Languages
from seqloom.text.tokenizer import Tokenizer
from seqloom.translator import Translator

_WINDOW = 512
"""Sources that are translated between two signs of progress."""


@dataclass
class Material:
    """What a model reads: texts, sentences of a treebank, or both."""

    texts: list[Text]
    """What roles but the syntactic ones are found on."""
    parsed: list[Text] = field(default_factory=list)
    """The sentences of the treebank; those of ``texts`` where no others were given."""
    trees: Mapping[int, Tree] = field(default_factory=dict)
    """Of ``parsed``, by number."""
    firsts: Mapping[int, Sequence[int]] = field(default_factory=dict)
    """Their words' first pieces, as the model reads them."""
    notes: list[str] = field(default_factory=list)

    def write(self, targets: Sequence[Sequence[int]], begun: int) -> None:
        """Give the texts their targets, which begin with ``begun`` symbols."""
        own = self.texts is self.parsed
        self.texts = [
            text._replace(target=tuple(ids), front=(text.front[0], begun))
            for text, ids in zip(self.texts, targets, strict=True)
        ]
        self.parsed = self.texts if own else self.parsed

    def within(self, source: int | None, target: int | None = None) -> None:
        """Leave out texts of more tokens than the limits, and empty ones; note how many.

        Raises:
            CorpusError: none is left.
        """
        own = self.texts is self.parsed

        def fits(text: Text) -> bool:
            sides = ((text.source, source), (text.target, target))
            return len(text.source) > text.front[0] and all(
                limit is None or len(ids) <= limit for ids, limit in sides
            )

        limit = f"of more than {source:,} tokens, the model's limit" if source else "too long"
        before = {"texts": self.texts} | ({} if own else {"sentences of the treebank": self.parsed})
        kept = [list(filter(fits, each)) for each in before.values()]
        for (what, texts), left in zip(before.items(), kept, strict=True):
            if not left and (texts or what == "texts"):
                notes = "".join(f" ({note})" for note in self.notes)
                raise CorpusError(
                    f"no text is left: all of {len(texts):,} are empty or {limit}.{notes}"
                )
            if len(left) < len(texts):
                self.notes.append(
                    f"{len(texts) - len(left):,} of {len(texts):,} {what} are left out: empty, or "
                    f"{limit}"
                )
        self.texts, self.parsed = kept[0], kept[-1]


def heads_of_translator(
    translator: Translator,
    sources: Sequence[str] = (),
    targets: Sequence[str] | None = None,
    *,
    treebank: Treebank | None = None,
    losses: bool = False,
    languages: Languages | None = None,
    title: str = "",
    progress: Progress | None = None,
) -> HeadsRecord:
    """The role of every head of a translation model.

    Args:
        translator: its first model is looked at.
        sources: texts; the sentences of the treebank when there are none.
        targets: what the model is to write; its own translations when left out.
        treebank: for syntactic roles of the heads of the encoder.
        losses: switch each head off by itself, and measure what is lost.
        languages: as for :meth:`Translator.translate`.
        title: of the record.
        progress: told how far it is.

    Raises:
        CorpusError: no texts, or none that the model can read.
        TokenizerError: words of the treebank without tokens of their own.
        SeqloomError: the model has no attention.
    """
    framing = translator.framing(**(languages or {}))
    material = _pairs(translator, framing, sources, targets, treebank)
    if targets is None:
        written = _written(translator, material.texts, framing.begun, progress)
        material.write(written, len(framing.begun))
        material.notes.append("the decoder reads the model's own translations")
        if losses:
            material.notes.append(
                "what is lost is measured on the model's own output, too: the whole model has a "
                "BLEU of about 100. For a loss of translation quality, give a --target"
            )
    tokenizers = translator.tokenizers
    sizes = {"source": tokenizers.source.size, "target": tokenizers.target.size}
    record, layers = _observed(translator.model, material, sizes, title, progress)
    if not losses:
        return record
    decode = tokenizers.target.decode_batch
    references = decode([text.target for text in material.texts])
    language = (languages or {}).get("target_language") or translator.recipe.data.target_language

    def translate() -> list[str]:
        return decode(_written(translator, material.texts, framing.begun, None))

    judged = Translations(translate, references, language, own=targets is None)
    return _with_losses(record, translator.model, material, layers, judged, progress)


def heads_of_language_model(
    model: LanguageModel,
    texts: Sequence[str] = (),
    *,
    treebank: Treebank | None = None,
    losses: bool = False,
    title: str = "",
    progress: Progress | None = None,
) -> HeadsRecord:
    """The role of every head of a language model, causal or masked; arguments as above.

    Raises:
        CorpusError: no texts, or none that the model can read.
        TokenizerError: words of the treebank without tokens of their own.
    """
    ids = model.tokenizer.encode_batch(texts)
    material = Material([Text(number, tuple(each)) for number, each in enumerate(ids)])
    if treebank is not None:
        _parse(material, treebank, model.tokenizer, [], begun=1)
    around = 2 if isinstance(model.model, MaskedModel) else 1
    # A causal model is scored by the end of a text, too.
    material.within(model.recipe.model.context - max(around, 1 + losses))
    sizes = {"text": model.tokenizer.size}
    record, layers = _observed(model.model, material, sizes, title, progress)
    if not losses:
        return record
    return _with_losses(record, model.model, material, layers, None, progress)


def _pairs(
    translator: Translator,
    framing: Framing,
    sources: Sequence[str],
    targets: Sequence[str] | None,
    treebank: Treebank | None,
) -> Material:
    """What a translator reads, and writes where that is given."""
    before = framing.sources([""])[0]
    front = len(before), 0
    ids = framing.sources(sources)
    material = Material([Text(n, tuple(each), front=front) for n, each in enumerate(ids)])
    if treebank is not None:
        _parse(material, treebank, translator.tokenizers.source, before)
    if targets is not None:
        material.write(framing.targets(targets), len(framing.begun))
    material.within(translator.limit, translator.recipe.data.max_length)
    return material


def _parse(
    material: Material,
    treebank: Treebank,
    tokenizer: Tokenizer,
    front: Sequence[int],
    begun: int = 0,
) -> None:
    """Add the sentences of a treebank, behind the symbols of languages and of a beginning."""
    pieces, notes = pieces_of_trees(tokenizer, treebank)
    material.notes += notes
    material.parsed = [
        Text(number, (*front, *each.ids), front=(len(front), 0))
        for number, each in enumerate(pieces)
    ]
    skipped = len(front) + begun
    material.trees = dict(enumerate(treebank.trees))
    # What stands in front of the first word belongs to it.
    material.firsts = {
        number: [skipped, *(skipped + first for first in each.firsts[1:])]
        for number, each in enumerate(pieces)
    }
    if not material.texts:
        material.texts = material.parsed


def _written(
    translator: Translator, texts: Sequence[Text], begun: list[int], progress: Progress | None
) -> list[tuple[int, ...]]:
    """The model's own translations, found greedily, as ids."""
    options = translator.recipe.decoding.model_copy(
        update={"beam": 1, "nbest": 1, "sample": False, "stop": ()}
    )
    found = decode_stream(
        [translator.model],
        (text.source for text in texts),
        options,
        device=translator.device,
        prefixes=(begun for _ in texts) if begun else None,
        window=_WINDOW,
    )
    written = list[tuple[int, ...]]()
    for hypotheses in found:
        written.append(hypotheses[0].ids)
        if progress is not None:
            progress("translating", len(written), len(texts))
    return written


def _observed(
    model: ReadableModel,
    material: Material,
    sizes: Mapping[str, int],
    title: str,
    progress: Progress | None,
) -> tuple[HeadsRecord, dict[str, int]]:
    """The record, and the heads of each layer."""
    counts: dict[str, Tensor] = {
        side: counts_of(material.texts, side, size) for side, size in sizes.items()
    }
    statistics, syntax = Statistics(counts), Syntax()
    together = material.texts is material.parsed
    done = 0
    for batch in batches(material.texts, model):
        looks = read(model, batch)
        if not looks:
            raise SeqloomError(NO_ATTENTION)
        statistics.add(looks)
        if together:
            _add(syntax, looks, batch, material)
        done += len(batch)
        if progress is not None:
            progress("reading", done, len(material.texts))
    if material.trees and not together:
        done = 0
        for batch in batches(material.parsed, model):
            _add(syntax, read(model, batch, encoder_only=True), batch, material)
            done += len(batch)
            if progress is not None:
                progress("reading the treebank", done, len(material.parsed))
    if material.trees and not syntax.paths:
        material.notes.append("no head looks from word to word of one text: no syntactic roles")
    heads = heads_of(statistics, syntax.found(), syntax.paths)
    layers = {path: statistics.of(path).confidence.shape[1] for path in statistics.parts}
    return HeadsRecord(heads, len(material.texts), title, material.notes), layers


def _add(syntax: Syntax, looks: list[Looks], batch: Sequence[Text], material: Material) -> None:
    numbers = [text.number for text in batch]
    trees = [material.trees[number] for number in numbers]
    syntax.add(looks, trees, numbers, [material.firsts[number] for number in numbers])


def _with_losses(
    record: HeadsRecord,
    model: ReadableModel,
    material: Material,
    layers: Mapping[str, int],
    translations: Translations | None,
    progress: Progress | None,
) -> HeadsRecord:
    found = importance(model, material.texts, layers, translations=translations, progress=progress)
    heads = [replace(head, importance=found[head.path, head.head]) for head in record.heads]
    return replace(record, heads=heads)
