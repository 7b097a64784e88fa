"""JoeyNMT's side of ``benchmarks/translation.py``; runs in JoeyNMT's environment.

Its own loader, training loop and search do the work. Two things are added: the loop waits between
rounds, and weights that Seqloom trained can be put into its model.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from joeynmt.batch import Batch
from joeynmt.config import parse_global_args, set_validation_args
from joeynmt.model import Model
from joeynmt.prediction import predict, prepare
from joeynmt.training import TrainManager
from peers import Course, Link

SPECIALS = [3, 0, 1, 2]
"""Seqloom's ids of the first four tokens of JoeyNMT: <unk> <pad> <s> </s>."""


class Manager(TrainManager):
    """JoeyNMT's training, in rounds."""

    course: Course

    def _train_step(self, batch: Batch) -> tuple[float, int]:
        """One update begins. The batch's own counts are not used: real tokens are counted anew."""
        going_on = self.course.begin(
            target_tokens=int((batch.trg != self.model.pad_index).sum()),
            target_positions=batch.trg.numel(),
            source_tokens=int((batch.src != self.model.pad_index).sum()),
            source_positions=batch.src.numel(),
        )
        if not going_on:
            raise KeyboardInterrupt  # its way to end before the last epoch
        return super()._train_step(batch)


def load_weights(model: Model, path: str) -> None:
    """Put the weights of a Seqloom Transformer (pre-norm, all tied) into JoeyNMT's."""
    ours = torch.load(path, weights_only=True)
    theirs = model.state_dict()
    embedding = ours["output.weight"].clone()
    embedding[: len(SPECIALS)] = embedding[SPECIALS]
    embedding[model.pad_index] = 0
    for name in ("src_embed.lut", "trg_embed.lut", "decoder.output_layer"):
        theirs[f"{name}.weight"] = embedding
    # The same sines and cosines, in another order of the features.
    positions = ours["positions"]
    for side in ("encoder", "decoder"):
        theirs[f"{side}.pe.pe"][0, : len(positions)] = positions
    for name, tensor in ours.items():
        if name.startswith(("encoder.layers", "decoder.layers", "encoder.norm", "decoder.norm")):
            other = their_name(name)
            assert theirs[other].shape == tensor.shape, (name, other)
            theirs[other] = tensor
    model.load_state_dict(theirs)


def their_name(name: str) -> str:
    """JoeyNMT's name of a parameter of Seqloom's encoder or decoder."""
    decoder = name.startswith("decoder")
    names = {
        "self_attention_norm": "x_layer_norm" if decoder else "layer_norm",
        "cross_attention_norm": "dec_layer_norm",
        "feedforward_norm": "feed_forward.layer_norm",
        "self_attention": "trg_trg_att" if decoder else "src_src_att",
        "cross_attention": "src_trg_att",
        "feedforward": "feed_forward",
        "norm": "layer_norm",
        "query": "q_layer",
        "key": "k_layer",
        "value": "v_layer",
        "output": "output_layer",
        "inner": "pwff_layer.0",
        "outer": "pwff_layer.3",
    }
    return ".".join(names.get(part, part) for part in name.split("."))


def translate(model: Model, data: Any, args: Any, beam: int) -> dict[str, Any]:
    """Decode the test set with its own ``predict``; ids of the outputs."""
    testing = args.test._replace(beam_size=beam)
    started = time.perf_counter()
    found = predict(
        model=model, data=data, device=args.device, n_gpu=0, args=testing, autocast=args.autocast
    )
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "outputs": [[int(i) for i in text.split()] for text in found[2]]}


def main() -> None:
    """Train in rounds, then decode as often as asked."""
    link = Link()
    config = link.receive()["config"]
    Path(config["model_dir"]).mkdir(parents=True, exist_ok=True)
    args = parse_global_args(config, rank=0, mode="train")
    model, train_data, dev_data, test_data = prepare(args, rank=0, mode="train")
    manager = Manager(
        rank=0, model=model, model_dir=args.model_dir, device=args.device, n_gpu=args.n_gpu,
        num_workers=args.num_workers, autocast=args.autocast, seed=args.seed,
        train_args=args.train, dev_args=set_validation_args(args.test),
    )  # fmt: skip

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        found = translate(model, test_data, args, request["beam"])
        model.train()
        return found

    manager.course = Course(link, answer)
    link.send(
        parameters=sum(p.numel() for p in model.parameters()),
        pairs=len(train_data),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
    )
    manager.train_and_validate(train_data=train_data, valid_data=dev_data)
    link.send()
    while True:
        request = link.receive()
        if "load" in request:
            load_weights(model, request["load"])
            link.send()
        else:
            link.send(**translate(model, test_data, args, request["beam"]))


if __name__ == "__main__":
    main()
