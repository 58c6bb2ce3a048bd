"""The command line: `python lsd.pyz [options]`.

`main` is what the built file runs. It ends the process with the exit codes of the manual: 0 for an
orderly stop, 1 for a refused configuration or start, 2 for a bad command line, 130 and 143 for a
forced stop.
"""

from lsd.cli.command import main

__all__ = ["main"]
