"""``seqloom finetune``: learn a task from labelled data, on an encoder or on a bag of words."""

from seqloom.cli.finetune.verb import finetune

__all__ = ["finetune"]
