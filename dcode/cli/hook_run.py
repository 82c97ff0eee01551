"""What git waits for: start the worker, wait so long and no longer, show what it found, and say yes or no.

In `suggest` nothing that happens here stands in the way of a commit; in the other modes what hinders us from looking
does, also where it is what would say the mode. No model is known here, and no rule.
"""

import os
import shlex
import shutil
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

from dcode.cli.hook_lines import Offer, Trouble, decoded
from dcode.cli.streams import complain, say
from dcode.cli.supervise import Ended, supervise
from dcode.errors import DcodeError
from dcode.repo import git, staged
from dcode.repo.proposals import Proposals
from dcode.settings import Settings, resolve, user_file
from dcode.syntax.rules import has_rules
from dcode.text.sanitize import visible

PROPOSALS_FOUND = 1
BUG = 123
SIGNALLED = 128


def run(mode: str | None, files: Sequence[str], *, quiet: bool, verbose: bool) -> int:
    """The hook as git or pre-commit runs it; the exit code. `mode` None: as is set."""
    begun = time.monotonic()
    if os.environ.get("DCODE_HOOK") == "0":
        return 0
    try:
        settings = resolve({"hook_mode": mode}).settings
        mode = settings.hook_mode
        return _run(settings, files, begun, quiet=quiet, verbose=verbose)
    except Exception as error:
        if (mode or _own_mode()) in ("check", "worktree"):
            raise
        complain(f"no proposals: {' '.join(str(error).split())}")
        return 0


def _own_mode() -> str | None:
    """The mode that the person set, not the project, for when the settings as a whole cannot be read."""
    named = os.environ.get("DCODE_CONFIG")
    files = [*([Path(named)] if named else []), user_file()]
    return os.environ.get("DCODE_HOOK_MODE") or next(filter(None, map(_mode_in, files)), None)


def _mode_in(file: Path) -> str | None:
    """The mode in a file of the person's own, whatever else is wrong with that."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        table = table["tool"]["dcode"] if "tool" in table else table
        return next((str(table[key]) for key in ("hook-mode", "hook_mode") if key in table), None)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _run(settings: Settings, files: Sequence[str], begun: float, *, quiet: bool, verbose: bool) -> int:
    top = git.top(Path.cwd())
    index = staged.index_file(dict(os.environ), Path.cwd())
    if top is None or not any(map(has_rules, staged.paths(top, index))):
        return 0
    spent_s = time.monotonic() - begun
    soft_s, hard_s = settings.hook_soft_ms / 1000 - spent_s, settings.hook_hard_ms / 1000 - spent_s
    names = [git.path_from(top, file) for file in files]
    ended = supervise([sys.executable, "-P", "-m", "dcode.cli.hook_work", str(soft_s), str(hard_s), *names], hard_s)
    if ended.asked:
        return SIGNALLED + ended.asked
    offers, troubles = _heard(ended)
    for offer in offers:
        _show(offer, quiet=quiet, is_applied=settings.hook_mode == "worktree" and _apply(top, offer))
    if offers:
        store = Proposals.locate(top)
        for offer in offers:
            store.remember(offer.key)
    for trouble in troubles if not quiet else ():
        complain(trouble.said)
    if verbose and ended.err:
        complain(ended.err.decode(errors="replace").rstrip(), prefix="")
    if settings.hook_mode == "suggest":
        return 0
    return PROPOSALS_FOUND if offers else max((trouble.code for trouble in troubles), default=0)


def _heard(ended: Ended) -> tuple[list[Offer], list[Trouble]]:
    """The worker's proposals, and why they may not be all."""
    offers, troubles = decoded(ended.out)
    if ended.late:
        troubles.append(Trouble("the hook took too long and was ended; DCODE_HOOK_HARD_MS allows more", 0))
    elif ended.code:
        troubles.append(Trouble(f"the hook's worker ended with {ended.code}; dcode hook run -v shows why", BUG))
    return offers, troubles


def _show(offer: Offer, *, quiet: bool, is_applied: bool) -> None:
    """Where, why and how much, and the command that makes the change or takes it back."""
    if quiet:
        return
    lines = str(offer.first) if offer.first == offer.last else f"{offer.first}-{offer.last}"
    size = f"(+{offer.added} \N{MINUS SIGN}{offer.removed})"
    say(visible(f"{offer.path}:{lines} {offer.why} {size} [{offer.rule}: {offer.verdict}]"))
    dcode = spelled_command()
    say(f"    changed: git add it again, or {dcode} undo" if is_applied else f"    {dcode} apply {offer.id}")


def _apply(top: Path, offer: Offer) -> bool:
    """Make the change in the working tree, where it must fit in full; if it does not, it stays a proposal."""
    from dcode.jobs.apply import Wanted, judge
    from dcode.repo.several import Change, write_all

    try:
        kept = Proposals.locate(top).read(offer.id)
        files = judge(top, [Wanted(f"proposal {offer.id}", kept.patch, kept.before, kept.after)])
        write_all([Change(one.file, one.before, one.after) for one in files], f"hook: {offer.rule}")
    except DcodeError as error:
        complain(f"{offer.path} was left alone: {error}")
        return False
    return True


def spelled_command() -> str:
    """How a person calls this dcode: by its name where the shell finds this one, else in full."""
    found = shutil.which("dcode")
    ours = found is not None and Path(found).parent == Path(sys.executable).parent
    # pre-commit puts an environment of its own in front of the path, which is gone afterwards.
    return "dcode" if ours and "PRE_COMMIT" not in os.environ else f"{shlex.quote(sys.executable)} -P -m dcode"
