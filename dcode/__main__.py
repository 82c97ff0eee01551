"""`python -P -m dcode` and the `dcode` command. It knows only where the command line begins."""

import sys

INTERRUPTED = 130


def main() -> int:
    """Run the command line and return the exit code; Ctrl-C while its modules still load is one line as well."""
    try:
        from dcode.cli.app import main as run
    except KeyboardInterrupt:
        sys.stderr.write("dcode: interrupted\n")
        return INTERRUPTED
    return run()


if __name__ == "__main__":
    sys.exit(main())
