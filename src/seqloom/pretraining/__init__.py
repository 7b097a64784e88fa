"""Pre-training, end to end: texts in, the folder of a language model out.

::

    run         wires the rooms together: texts, sizes, training, folder
    validation  figures on held-out texts, and how a model goes on
"""

from seqloom.pretraining.run import pretrain

__all__ = ["pretrain"]
