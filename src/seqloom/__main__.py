"""``python -m seqloom``: the command line where no script is installed, and under ``torchrun``."""

from seqloom.cli import main

main()
