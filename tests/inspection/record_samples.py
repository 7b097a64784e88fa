"""Sample records of every kind, out of tiny models; ``python record_samples.py`` writes them anew.

Those of ``records`` that end in ``-version-1.json`` are left as they are: the code that wrote
version 1 wrote them, attention out of an untrained recurrent model.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))

import tiny
from seqloom.corpus.alignments import AlignedPairs, Gold, diagonal
from seqloom.corpus.trees import Treebank, read_treebank
from seqloom.inspection.alignment_record import AlignmentRecord
from seqloom.inspection.attention import AttentionRecord, AttentionRecords
from seqloom.inspection.beam_record import BeamRecord
from seqloom.inspection.beam_recording import Asked
from seqloom.inspection.heads_record import HeadsRecord
from seqloom.inspection.probe_record import ProbeRecord
from seqloom.inspection.record import Record
from seqloom.inspection.structure_record import StructureRecord
from seqloom.inspection.tokens import TokensRecord
from seqloom.inspection.wordmap import WordMap, map_words
from seqloom.inspector.align import align
from seqloom.inspector.beam import beam_of_translation
from seqloom.inspector.heads import heads_of_translator
from seqloom.inspector.probe import Settings, probe_model
from seqloom.inspector.probe_data import ask
from seqloom.inspector.structure import probe_structure, read_trees
from seqloom.inspector.subject import Subject
from seqloom.language_model import LanguageModel
from seqloom.text.tokenizer import Tokenizer
from seqloom.text.vectors import WordVectors
from seqloom.translator import Translator
from tiny_encoder import tiny_encoder
from tiny_writers import sharp_translator

RECORDS = Path(__file__).with_name("records")
ONE_HEAD = {**tiny.TRANSFORMER, "heads": 1}


def attention() -> AttentionRecord:
    """Encoder, decoder and what the decoder takes from the source, with details."""
    return sharp_translator(ONE_HEAD).attention("a b c", "A B", details=True)


def attention_rnn() -> AttentionRecord:
    """A recurrent model, whose attention has no heads."""
    return tiny.untrained(tiny.RNN).attention("a b c", "A B")


def attention_of_texts() -> AttentionRecords:
    """Two texts that a masked model has read."""
    with tempfile.TemporaryDirectory() as folder:
        model = LanguageModel.load(tiny_encoder(Path(folder), layers=1), device="cpu")
    return AttentionRecords([model.attention(text) for text in ("goal match", "salt <mask>")])


def alignment(judged: bool = True) -> AlignmentRecord:
    """Three pairs, and with ``judged`` what the figures are with gold."""
    sources = [text.split() for text in ("a b", "c d e", "f")]
    targets = [[letter.upper() for letter in words] for words in sources]
    gold = []
    for words in sources if judged else []:
        sure = diagonal(len(words), len(words))
        gold.append(Gold(sure, sure | {(0, len(words) - 1)}))
    return align(tiny.untrained(tiny.RNN), AlignedPairs(sources, targets, gold, [], "letters"))


def heads() -> HeadsRecord:
    """A Transformer of one head a layer, with a treebank and what is lost without each."""
    bank = treebank(30)
    texts = [" ".join(tree.sentence.words) for tree in bank.trees]
    return heads_of_translator(
        sharp_translator(ONE_HEAD), texts, [text.upper() for text in texts],
        treebank=bank, losses=True, title="Heads of a tiny Transformer",
    )  # fmt: skip


def probes(seeds: int = 2, checkpoints: bool = True) -> ProbeRecord:
    """Tags in an encoder and in two checkpoints of its training."""
    with tempfile.TemporaryDirectory() as folder:
        subject = Subject.of_translator(with_checkpoints(Path(folder) / "tiny"))
        words = write_treebank(Path(folder) / "letters.conllu", 130)
        question = ask("upos", words, examples=200, readable=subject.readable)
        found = probe_model(subject, question, Settings(("linear",), seeds, checkpoints))
    return nameless(found)


def structural_probes() -> StructureRecord:
    """Trees in an encoder."""
    subject = Subject.of_translator(sharp_translator(ONE_HEAD))
    with tempfile.TemporaryDirectory() as folder:
        trees = read_trees(subject, write_treebank(Path(folder) / "t.conllu", 140), None, 300)
    return probe_structure(subject, trees, seeds=1)


def beam() -> BeamRecord:
    """A search beside a forced text, greedy search and samples."""
    translator = sharp_translator(tiny.TRANSFORMER)
    options = translator.recipe.decoding.model_copy(
        update={"temperature": 0.8, "top_k": 3, "seed": 3, "no_repeat_ngram": 1, "max_tokens": 10}
    )
    asked = Asked(3, greedy=True, sample=True)
    return beam_of_translation(translator, "d", options, asked, force="A B")


def tokens(kind: str = "bpe") -> TokensRecord:
    """A text that BPE has merged."""
    texts = ["low lower lowest newer wider", "the lowest <b> 你好"] * 4
    return TokensRecord(Tokenizer.train(texts, kind, 320, exact=False).explain("lowest 你好 <b>"))


def word_map(method: str = "pca") -> WordMap:
    """Words of two sections."""
    words = ["cat", "dog", "cow", "bread", "milk", "хлеб", "饭"]
    matrix = np.random.default_rng(0).standard_normal((7, 4)) + np.arange(7)[:, None] // 3
    sections = {word: "animals" if place < 3 else "foods" for place, word in enumerate(words)}
    vectors = WordVectors(words, matrix, np.arange(70, 0, -10))
    return map_words(vectors, sections | {"Katze": "animals"}, method=method)


def treebank(count: int) -> Treebank:
    with tempfile.TemporaryDirectory() as folder:
        return read_treebank(write_treebank(Path(folder) / "letters.conllu", count))


def write_treebank(path: Path, count: int) -> Path:
    """Letters of two tags, each of which depends on the one before."""
    chance, lines = np.random.default_rng(0), list[str]()
    for _ in range(count):
        for number, letter in enumerate(chance.choice(list("abcd"), chance.integers(2, 6))):
            tag, name = ("NOUN" if letter in "ab" else "VERB"), "obj" if number else "root"
            lines.append(f"{number + 1}\t{letter}\t_\t{tag}\t_\t_\t{number}\t{name}\t_\t_")
        lines.append("")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def with_checkpoints(folder: Path) -> Translator:
    """A model whose folder keeps what a run leaves after two validations."""
    tiny.save(sharp_translator(ONE_HEAD), folder)
    (folder / "training").mkdir()
    for update in (5, 1000):
        kept = folder / "training" / f"weights-{update:07d}.safetensors"
        shutil.copy(folder / "model.safetensors", kept)
    return Translator.load(folder, device="cpu")


def nameless(record: ProbeRecord) -> ProbeRecord:
    """Without the temporary folder in it."""
    return ProbeRecord.from_dict({**record.as_dict(), "model": "runs/tiny"})


SAMPLES: dict[str, Callable[[], Record]] = {
    "attention": attention,
    "attention-rnn": attention_rnn,
    "attention-of-texts": attention_of_texts,
    "alignment": alignment,
    "alignment-without-gold": lambda: alignment(judged=False),
    "heads": heads,
    "probes": probes,
    "structural-probes": structural_probes,
    "beam": beam,
    "tokens": tokens,
    "tokens-unigram": lambda: tokens("unigram"),
    "word-map": word_map,
    "word-map-tsne": lambda: word_map("tsne"),
}
"""Name of a file of :data:`RECORDS` -> what makes it."""

if __name__ == "__main__":
    for name, make in SAMPLES.items():
        make().save(RECORDS / f"{name}.json")
