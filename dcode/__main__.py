"""`python -P -m dcode` and the `dcode` command. It knows only where the command line begins."""

import sys

from dcode.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
