"""A side of ``benchmarks/tokenizing.py``; runs in the environment of its program.

JoeyNMT cuts text line by line with SentencePiece, transformers and Seqloom cut many lines at once;
each learns BPE as its users do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from peers import Link

Encode = Callable[[list[str]], Sequence[Sequence[object]]]


def joeynmt(files: list[str], vocabulary: int, folder: Path) -> Encode:
    """Learn pieces from ``files``; what cuts lines into them."""
    import sentencepiece
    from joeynmt.tokenizers import SentencePieceTokenizer

    sentencepiece.SentencePieceTrainer.train(
        input=",".join(files), model_prefix=str(folder / "pieces"), vocab_size=vocabulary,
        model_type="bpe", character_coverage=1.0, minloglevel=2,
    )  # fmt: skip
    tokenizer = SentencePieceTokenizer(model_file=str(folder / "pieces.model"))
    return lambda lines: [tokenizer(line) for line in lines]


def transformers(files: list[str], vocabulary: int, folder: Path) -> Encode:
    """Learn pieces from ``files``; what cuts lines into them."""
    from tokenizers import SentencePieceBPETokenizer
    from transformers import PreTrainedTokenizerFast

    learner = SentencePieceBPETokenizer(unk_token="<unk>")
    learner.train(files, vocab_size=vocabulary, special_tokens=["<pad>", "<s>", "</s>", "<unk>"],
                  show_progress=False)  # fmt: skip
    learner.save(str(folder / "tokenizer.json"))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), unk_token="<unk>"
    )
    return lambda lines: tokenizer(lines)["input_ids"]


def seqloom(files: list[str], vocabulary: int, folder: Path) -> Encode:
    """Learn pieces from ``files``; what cuts lines into them."""
    from seqloom.text.tokenizer import Tokenizer

    texts = [line for file in files for line in Path(file).read_text("utf-8").splitlines()]
    return Tokenizer.train(texts, "bpe", vocabulary).encode_batch


def main() -> None:
    """Learn once, cut as often as asked."""
    link = Link()
    request: dict[str, Any] = link.receive()
    programs = {"JoeyNMT": joeynmt, "transformers": transformers, "Seqloom": seqloom}
    learn = programs[request["program"]]
    started = time.perf_counter()
    encode = learn(request["files"], request["vocabulary"], Path(request["folder"]))
    link.send(learning_seconds=time.perf_counter() - started)
    while True:
        lines = link.receive()["lines"]
        started = time.perf_counter()
        pieces = encode(lines)
        seconds = time.perf_counter() - started
        link.send(seconds=seconds, tokens=sum(map(len, pieces)))


if __name__ == "__main__":
    main()
