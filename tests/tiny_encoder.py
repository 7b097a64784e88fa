"""A tiny BERT and tasks that it learns in seconds."""

from __future__ import annotations

import random
from pathlib import Path

import torch

from seqloom.language_folder import save_language_config, save_language_weights
from seqloom.models import build_language_model
from seqloom.recipe.language import BertRecipe
from seqloom.recipe.pretraining import PretrainRecipe
from seqloom.text.tokenizer import Tokenizer

WORDS = {
    "sport": ["goal", "match", "team", "ball", "win"],
    "food": ["bread", "salt", "soup", "bowl", "eat"],
    "law": ["court", "judge", "trial", "crime", "prison"],
}
TAGS = {word: label for label, words in WORDS.items() for word in words}


def sentences(count: int, seed: int) -> list[tuple[str, str]]:
    """Some words of one subject, and the subject."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        label = list(WORDS)[number % 3]
        found.append((" ".join(chance.choices(WORDS[label], k=4)), label))
    return found


def write_classes(path: Path, count: int, seed: int) -> Path:
    path.write_text("".join(f"{text}\t{label}\n" for text, label in sentences(count, seed)))
    return path


def write_pairs(path: Path, count: int, seed: int) -> Path:
    """Two texts, and whether they are of one subject."""
    chance = random.Random(seed)
    lines = ["text_a\ttext_b\tlabel\n"]
    for number in range(count):
        one, other = chance.sample(list(WORDS), 2)
        other = one if number % 2 else other
        first, second = (" ".join(chance.choices(WORDS[x], k=3)) for x in (one, other))
        lines.append(f"{first}\t{second}\t{'same' if one == other else 'other'}\n")
    path.write_text("".join(lines))
    return path


def write_tags(path: Path, count: int, seed: int) -> Path:
    """Words of all subjects, and the subject of each."""
    chance = random.Random(seed)
    lines = []
    for _ in range(count):
        lines += [f"{word}\t{TAGS[word]}\n" for word in chance.choices(list(TAGS), k=5)] + ["\n"]
    path.write_text("".join(lines))
    return path


def write_paraphrases(path: Path, count: int, seed: int) -> Path:
    """Two orders of the same words."""
    chance = random.Random(seed)
    lines = []
    for _ in range(count):
        words = chance.sample(list(TAGS), 4)
        lines.append(f"{' '.join(words)}\t{' '.join(reversed(words))}\n")
    path.write_text("".join(lines))
    return path


def tiny_recipe(layers: int = 2) -> PretrainRecipe:
    model = BertRecipe(
        width=16, feedforward=32, heads=2, layers=layers, context=16, dropout=0.0,
        attention_dropout=0.0,
    )  # fmt: skip
    return PretrainRecipe.model_validate({"data": {"mask": True}, "model": model.model_dump()})


def tiny_encoder(folder: Path, layers: int = 2) -> Path:
    """A folder of a BERT that has learned nothing yet."""
    recipe = tiny_recipe(layers)
    texts = [text for text, _ in sentences(60, 1)]
    tokenizer = Tokenizer.train(texts, "word", 300, mask=True, exact=False)
    torch.manual_seed(3)
    model = build_language_model(recipe.model, tokenizer.size, tokenizer.symbols)
    for parameter in model.parameters():  # so that even its random states tell words apart
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.25)
    save_language_config(folder, "language", recipe, tokenizer)
    save_language_weights(folder, model.state_dict(), recipe, tokenizer)
    return folder
