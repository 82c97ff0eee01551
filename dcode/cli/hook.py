"""`dcode hook`: proposals about what you commit. Put it into a repository, take it out, run it, apply what it found."""

import sys
from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option

from dcode.cli import hook_run
from dcode.cli.options import Quiet, Verbose, group
from dcode.cli.streams import complain, say_table, shown_path
from dcode.errors import InputError
from dcode.repo.proposals import Proposals
from dcode.repo.shim import Shim
from dcode.resources import PACKAGE
from dcode.settings import resolve

Chain = Annotated[bool, Option("--chain", help="Keep a hook that is there, and run it first.")]
Mode = Annotated[
    str | None,
    Option(metavar="MODE", help="suggest changes nothing; check fails if there are proposals; worktree edits files."),
]
Files = Annotated[list[str] | None, Argument(metavar="[FILE]...", help="Look only at these, if they are staged.")]
Ids = Annotated[list[str] | None, Argument(metavar="[ID]...", help="Which; none: all whose file is as it was.")]


def install(chain: Chain = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Make git run dcode before every commit in this repository.

    DCODE_HOOK=0 git commit leaves it out once. Another hook is refused, or with --chain kept and run first. So is a
    folder of hooks that lies outside of the repository: others may share it.
    """
    shim = Shim.locate(Path.cwd())
    shim.install(Path(sys.executable), PACKAGE, chain=chain)
    if not quiet:
        kept = f", after {shown_path(str(shim.kept))}" if shim.has_kept else ""
        complain(f"git now runs {shown_path(str(shim.file))}{kept} (dcode hook uninstall takes it away)")


def uninstall(quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Take the hook away, and put back the one that --chain kept."""
    shim = Shim.locate(Path.cwd())
    did = shim.uninstall()
    if not quiet:
        back = f"; back is {shown_path(str(shim.file))}" if shim.state == "foreign" else ""
        complain(f"the hook is gone{back}" if did else "there is no hook of dcode here")


def status(verbose: Verbose = False) -> None:
    """Show whether the hook is there, and what is set."""
    shim, here = Shim.locate(Path.cwd()), Path.cwd()
    held = resolve({})
    state = {"none": "not installed", "foreign": "another hook is there"}.get(shim.state, "installed")
    if shim.state == "ours" and shim.is_shared:
        state = "installed, for other repositories too"
    if shim.state == "ours" and not shim.is_alive:
        state = "installed, but its interpreter is gone: dcode hook install"
    limits = f"{held.settings.hook_soft_ms} ms, at most {held.settings.hook_hard_ms} ms"
    rows = [
        ("hook", state),
        ("file", shown_path(str(shim.file))),
        *([("runs first", shown_path(str(shim.kept)))] if shim.has_kept else []),
        ("mode", f"{held.settings.hook_mode} ({held.origin['hook_mode']})"),
        ("time", limits),
        ("model", held.settings.model),
        ("proposals", str(len(Proposals.locate(here).entries()))),
    ]
    say_table(rows)


def run(files: Files = None, mode: Mode = None, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Look at what is staged, as git does before a commit.

    Proposals are kept for dcode apply. With suggest, the usual mode, the exit code is always 0.
    """
    raise Exit(hook_run.run(mode, files or (), quiet=quiet, verbose=verbose))


def apply(ids: Ids = None, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Make the changes that the hook proposed, all or none."""
    from dcode.cli.apply import apply as apply_proposals
    from dcode.repo import atomic, git
    from dcode.repo.entry import digest

    here = Path.cwd()
    waiting = Proposals.locate(here).entries()
    top = git.top(here)
    if top is None:
        raise InputError(f"{here} is in no working tree")

    def fits(path: str, before: str) -> bool:
        try:
            return digest(atomic.read(top / path)) == before
        except InputError:
            return False

    chosen = ids or [one.id for one in reversed(waiting) if fits(one.path, one.before)]
    if not chosen:
        changed = "nothing to apply: applied already, or the files have changed since (dcode apply lists them)"
        complain(changed if waiting else "no proposals wait")
        return
    apply_proposals(chosen, quiet=quiet, verbose=verbose)


app = group(install, uninstall, status, run, apply, help="Proposals about what you commit.")
