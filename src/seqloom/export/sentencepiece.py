"""SentencePiece models (Kudo and Richardson 2018) as tokenizers of the ``tokenizers`` library.

A model is a list of scored pieces and a table of characters that are written otherwise. The ids of
its pieces do not count: checkpoints list their vocabulary in another file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers

from seqloom.errors import ExportError, MissingExtraError

_SPACE = "▁"
_NEVER = -1e6
"""Score of what this side does not write; an unknown character still costs more."""


def read_pieces(path: Path) -> Any:
    """The protocol buffer of a ``.spm`` or ``.model`` file.

    Raises:
        MissingExtraError: the library that knows its form is not installed.
        ExportError: the file is missing, damaged, or of a kind that is not known here.
    """
    try:
        from sentencepiece import sentencepiece_model_pb2
    except ImportError:
        raise MissingExtraError("reading SentencePiece models", "hub") from None
    form: Any = sentencepiece_model_pb2
    model = form.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except FileNotFoundError:
        raise ExportError(f"{path.parent} lacks {path.name}; copy or download it too.") from None
    except Exception as error:  # protobuf has its own tree of errors
        raise ExportError(
            f"{path} is no SentencePiece model ({error}); get the file again."
        ) from None
    kinds = form.TrainerSpec.ModelType
    kind = model.trainer_spec.model_type
    if not model.pieces or kind not in (kinds.Value("UNIGRAM"), kinds.Value("BPE")):
        raise ExportError(
            f"{path}: expected pieces of SentencePiece's kind unigram or bpe, found "
            f"{len(model.pieces)} of kind {kinds.Name(kind).lower()}; this checkpoint cannot be "
            "taken over."
        )
    return model


def backend_of(
    path: Path, vocabulary: Sequence[str], unknown: str, special: Sequence[str]
) -> tokenizers.Tokenizer:
    """A tokenizer that cuts as a SentencePiece model does, with the ids of a vocabulary.

    Args:
        path: the SentencePiece model.
        vocabulary: all tokens in the order of their ids; some may be the other side's.
        unknown: the token of what has no piece.
        special: tokens that no text becomes.

    Raises:
        MissingExtraError, ExportError: see :func:`read_pieces`.
    """
    model = read_pieces(path)
    bpe = model.trainer_spec.model_type == 2
    normal = {"NORMAL", "BYTE", "USER_DEFINED"}
    scores = {
        piece.piece: piece.score for piece in model.pieces if _type(piece) in normal
    }  # fmt: skip
    make = _bpe if bpe else _unigram
    backend = tokenizers.Tokenizer(
        make(vocabulary, scores, unknown, model.trainer_spec.byte_fallback)
    )
    known = set(vocabulary)
    whole = [p.piece for p in model.pieces if _type(p) == "USER_DEFINED" and p.piece in known]
    backend.normalizer = _normalizer(model.normalizer_spec)
    prefix = model.normalizer_spec.add_dummy_prefix
    backend.pre_tokenizer = pre_tokenizers.Metaspace(
        _SPACE,
        # Pieces that the text is cut at first leave several parts, one of which begins it.
        prepend_scheme=("first" if whole else "always") if prefix else "never",
        split=model.trainer_spec.split_by_whitespace,
    )
    backend.decoder = _decoder(prefix, model.trainer_spec.byte_fallback)
    backend.add_tokens([tokenizers.AddedToken(name, normalized=False) for name in whole])
    backend.add_special_tokens([name for name in special if name in known])
    return backend


def _type(piece: Any) -> str:
    return str(type(piece).Type.Name(piece.type))


def _unigram(
    vocabulary: Sequence[str], scores: Mapping[str, float], unknown: str, fallback: bool
) -> models.Model:
    scored = [(name, scores.get(name, _NEVER)) for name in vocabulary]
    return models.Unigram(scored, unk_id=vocabulary.index(unknown), byte_fallback=fallback)


def _bpe(
    vocabulary: Sequence[str], scores: Mapping[str, float], unknown: str, fallback: bool
) -> models.Model:
    """Pieces are merged in the order of their scores, whatever their two parts are."""
    ids = {name: index for index, name in enumerate(vocabulary)}
    known = scores.keys() & ids.keys()
    merges = [
        (-scores[name], at, (name[:at], name[at:]))
        for name in known
        for at in range(1, len(name))
        if name[:at] in known and name[at:] in known
    ]
    ordered = [pair for _, _, pair in sorted(merges)]
    return models.BPE(
        ids, ordered, unk_token=unknown, fuse_unk=True, byte_fallback=fallback
    )  # fmt: skip


def _normalizer(spec: Any) -> normalizers.Normalizer:
    stages: list[normalizers.Normalizer] = []
    if spec.precompiled_charsmap:
        stages.append(normalizers.Precompiled(spec.precompiled_charsmap))
    if spec.remove_extra_whitespaces:
        stages += [normalizers.Strip(), normalizers.Replace(tokenizers.Regex(" {2,}"), " ")]
    return normalizers.Sequence(stages)


def _decoder(prefix: bool, fallback: bool) -> decoders.Decoder:
    stages: list[decoders.Decoder] = [decoders.Replace(_SPACE, " ")]
    stages += [decoders.ByteFallback()] if fallback else []
    stages += [decoders.Fuse()]
    stages += [decoders.Strip(" ", 1, 0)] if prefix else []
    return decoders.Sequence(stages)
