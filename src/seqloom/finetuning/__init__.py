"""Fine-tuning, end to end: an encoder and labelled data in, the folder of a model out.

::

    run        wires the rooms together: examples, what may move, training, folder
    data       files, or what is in memory already, to a job
    settling   what the run is, and its open sizes
    jobs       one for each task: examples, loss, figures
    old        what the encoder could do before, and how much of it is left; old texts mixed in
    report     figures before and after, for people and for the model card
"""

from seqloom.finetuning.run import Task, finetune

__all__ = ["Task", "finetune"]
