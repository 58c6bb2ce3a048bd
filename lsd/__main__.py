"""`python -m lsd` is the same as `python lsd.pyz`."""

from lsd.cli import main

main()
