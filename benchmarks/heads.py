"""Heads of models of random weights: whether any is given a role, and what it takes to look.

    python benchmarks/heads.py TREEBANK.conllu [--sentences 1000] [--models 24]

Translation models (4+4 layers, width 128, 4 heads), BERTs and GPTs (4 layers) take turns, with
every kind of positions, norms before and after, weights as they are initialised and ten times as
large. Prints the roles that were accepted: any is a false one. About ten seconds a model.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import torch

from seqloom.corpus.trees import Treebank, read_treebank
from seqloom.inspection.heads_record import HeadsRecord
from seqloom.inspector.heads import heads_of_language_model, heads_of_translator
from seqloom.language_model import LanguageModel
from seqloom.models import build_language_model, build_model
from seqloom.recipe import Recipe, TransformerRecipe
from seqloom.recipe.language import BertRecipe, GptRecipe
from seqloom.text.tokenizer import Tokenizer, Tokenizers
from seqloom.translator import Translator

CPU = torch.device("cpu")
LONGEST = 512


def translator(number: int, tokenizer: Tokenizer) -> Translator:
    """An encoder-decoder of random weights."""
    positions = ("sinusoidal", "rotary", "learned", "fairseq")[number // 3 % 4]
    model: Any = TransformerRecipe(
        width=128, heads=4, encoder_layers=4, decoder_layers=4, max_positions=LONGEST,
        norm="post" if number % 2 else "pre", positions=positions,
    )  # fmt: skip
    recipe = Recipe.model_validate({"data": {"max_length": LONGEST - 1}, "model": model})
    built = build_model(model, tokenizer.size, tokenizer.size)
    return Translator([built], Tokenizers(tokenizer, tokenizer), recipe, CPU)


def reader(number: int, tokenizer: Tokenizer) -> LanguageModel:
    """A BERT or a GPT of random weights."""
    family: Any = BertRecipe if number % 3 == 1 else GptRecipe
    positions = ("learned", "rotary")[number // 3 % 2]
    recipe = family(width=128, heads=4, layers=4, context=LONGEST, positions=positions)
    model = build_language_model(recipe, tokenizer.size, tokenizer.symbols)
    if number // 6 % 2:
        for parameter in model.parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.2)
    # All that is asked of an open folder.
    known = SimpleNamespace(model=model, tokenizer=tokenizer, recipe=SimpleNamespace(model=recipe))
    return cast(LanguageModel, known)


def record_of(number: int, treebank: Treebank, tokenizer: Tokenizer) -> HeadsRecord:
    """The heads of one model."""
    torch.manual_seed(number)
    if number % 3:
        return heads_of_language_model(reader(number, tokenizer), treebank=treebank)
    texts = [tree.sentence.text for tree in treebank.trees]
    model = translator(number, tokenizer)
    # Greedy translations of random weights never end: the decoder copies its source.
    return heads_of_translator(model, texts, texts, treebank=treebank)


def main() -> None:
    """Look at all models."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("treebank", type=Path)
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--models", type=int, default=24)
    given = parser.parse_args()
    treebank = read_treebank(given.treebank, given.sentences)
    texts = [tree.sentence.text for tree in treebank.trees]
    tokenizer = Tokenizer.train(texts, "bpe", 4000, mask=True, exact=False)
    heads = roles = 0
    for number in range(given.models):
        began = time.perf_counter(), time.process_time()
        record = record_of(number, treebank, tokenizer)
        found = [(each.path, each.head, each.roles) for each in record.heads if each.roles]
        heads, roles = heads + len(record.heads), roles + len(found)
        passed = time.perf_counter() - began[0], time.process_time() - began[1]
        taken = "{:.1f} s ({:.1f} of a processor)".format(*passed)
        print(f"model {number}: {taken}, {len(record.heads)} heads", *found)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{roles} of {heads} heads were given a role; {memory:.2f} GB at most")


if __name__ == "__main__":
    main()
