"""From dialogues to what training reads: texts whose stretches are read and said in turn.

It holds what :mod:`seqloom.text.texts` says; the lengths beside a document's ids are those of its
stretches, see :func:`seqloom.text.chat.dialogue_ids`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seqloom.corpus.dialogues import Message, read_dialogues
from seqloom.corpus.document_store import DocumentWriter
from seqloom.corpus.files import check_readable
from seqloom.corpus.pairs import Corpus, Pair, Progress, batches_of
from seqloom.corpus.text_split import hold_out_documents
from seqloom.errors import CorpusError
from seqloom.recipe import TextRecipe
from seqloom.text.chat import Form, dialogue_ids
from seqloom.text.origin import Origin
from seqloom.text.prepared_folder import (
    check_same,
    is_taken,
    whole_folder,
    write_json,
)
from seqloom.text.texts import FILES, FORMAT, PreparedTexts, load_prepared_texts
from seqloom.text.tokenizer import SOURCE_FILE, Tokenizer

KIND = "dialogues"


def prepare_dialogues(
    recipe: TextRecipe, out: Path, tokenizer: Tokenizer, form: Form, progress: Progress
) -> PreparedTexts:
    """Hold some dialogues out, and write all as token ids to ``out``; opens it if it is there.

    Args:
        recipe: names the files.
        out: the folder to write.
        tokenizer: cuts the messages.
        form: how a conversation is written.
        progress: told how far it is.

    Raises:
        CorpusError: a file or a line is no dialogue, or there are too few to hold some out.
        FolderError: ``out`` holds something else, or cannot be written.
    """
    files, validation_files = recipe.dialogues, recipe.validation_sources
    train = _corpus(files)
    held_out = _corpus(validation_files) if validation_files else None
    fields = recipe.model_dump(mode="json", exclude=set(FILES))
    corpora = {"dialogues": (train, files), "validation": (held_out, validation_files)}
    origin = Origin(fields, corpora, tokenizer.fingerprint)
    if is_taken(out):
        check_same(out, origin)
        return load_prepared_texts(out, KIND)
    with whole_folder(out, origin) as folder:
        tokenizer.save(folder / SOURCE_FILE)
        name = train.name
        if held_out is None:
            train, held_out = hold_out_documents(train, recipe.validation_share)
        report: dict[str, Any] = {"version": 1, "kind": KIND, "corpus": name}
        for part, corpus in (("train", train), ("validation", held_out)):
            progress(f"dialogues: {part}", 0, None)
            report[part] = _write(folder / f"{part}.arrow", corpus, tokenizer, form)
            if not report[part]["documents"]:
                raise CorpusError(
                    f"{name}: no dialogue is left for {part}; add dialogues, or name others with "
                    "--validation."
                )
        write_json(folder / "report.json", report)
        write_json(folder / "recipe.json", {"format": FORMAT, "kind": KIND, **origin.as_dict()})
    return load_prepared_texts(out, KIND)


def _corpus(paths: tuple[str, ...]) -> Corpus:
    """Dialogues as documents of JSON."""
    for path in paths:
        check_readable(Path(path))

    def documents() -> Iterator[Pair]:
        for dialogue in read_dialogues(paths):
            yield Pair(json.dumps(dialogue.messages, ensure_ascii=False), "", {})

    return Corpus(lambda: batches_of(documents()), name=", ".join(paths))


def _write(path: Path, corpus: Corpus, tokenizer: Tokenizer, form: Form) -> dict[str, int]:
    """The store of one part; how much is in it."""
    documents = tokens = said = 0
    with DocumentWriter(path, tokenizer.size, {"tokenizer": tokenizer.fingerprint}) as writer:
        for pair in corpus.pairs():
            messages = [Message(*each) for each in json.loads(pair.source)]
            ids, lengths = dialogue_ids(tokenizer, form, messages)
            writer.write([ids], [lengths])
            documents, tokens, said = documents + 1, tokens + len(ids), said + sum(lengths[1::2])
    return {"documents": documents, "tokens": tokens, "said": said}
