"""`dcode apply`: make the changes of proposals or of patches, all of them or none; without one, list proposals."""

import json
import sys
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Exit, Option

from dcode.cli import places
from dcode.cli.options import Check, Color, Quiet, Verbose, command
from dcode.cli.streams import complain, emit, emit_diff, say_table
from dcode.cli.versions import own_version
from dcode.errors import InputError
from dcode.jobs.apply import Judged, Wanted, judge
from dcode.repo import atomic
from dcode.repo.entry import digest
from dcode.repo.proposals import Proposal, Proposals
from dcode.repo.several import Change, write_all
from dcode.settings import resolve
from dcode.text.edit import unified_diff

CHANGES_FOUND = 1
SCHEMA = "dcode.apply/1"

What = Annotated[
    list[str] | None,
    Argument(metavar="ID|PATCH|-", help="Proposals by number, patch files, or a patch on stdin; none: list."),
]
Diff = Annotated[bool, Option("--diff", help="Write nothing; print what would change.")]
Json = Annotated[bool, Option("--json", help=f"Print one JSON object (schema {SCHEMA}).")]


def apply(
    what: What = None,
    check: Check = False,
    diff: Diff = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    color: Color = None,
) -> None:
    """Make the changes of proposals or patches, all or none.

    Only files of this repository change, and only where every line of context is as the patch has it. No file
    gets a fault that it does not have. Without a name the proposals that wait are listed.

    \b
    dcode apply 3 4
    dcode apply --check fix.patch
    git diff HEAD~1 | dcode apply --diff -
    """
    here = Path.cwd()
    root = places.root(here) or here
    if not what:
        _list(root, Proposals.locate(here).entries(), as_json=json)
        return
    files = judge(root, [_wanted(one, here) for one in what])
    changes = [Change(one.file, one.before, one.after) for one in files]
    ids = [] if check or diff else write_all(changes, f"apply {' '.join(what)}")
    code = CHANGES_FOUND if check and files else 0
    if json:
        _print_json([], [_file(one, id) for one, id in zip_longest(files, ids)], code)
    elif diff:
        shown = resolve({"color": color}).settings.color
        for one in files:
            emit_diff(unified_diff(one.before, one.after, one.path), encoding=one.encoding, color=shown)
    if not quiet:
        _tell(files, ids, check=check)
    raise Exit(code)


def _wanted(what: str, here: Path) -> Wanted:
    """The patch that a person means by a number, a file or `-`."""
    if what == places.STDIN:
        return Wanted("the patch on stdin", sys.stdin.buffer.read())
    if what.isascii() and what.isdigit():
        found = Proposals.locate(here).read(what)
        return Wanted(f"proposal {what}", found.patch, found.before, found.after)
    return Wanted(what, atomic.read(Path(what)))


def _tell(files: Sequence[Judged], ids: Sequence[str], *, check: bool) -> None:
    """What happened or would happen, and how to take it back."""
    for one in files:
        if one.language is None:
            complain(f"{one.path} is in no language that dcode knows: not checked")
        if check:
            complain(f"{one.path} would change")
    if not files:
        complain("nothing to do")
    if ids:
        names, back = ", ".join(one.path for one in files), " ".join(reversed(ids))
        complain(f"wrote {names} (dcode undo {back} takes {'it' if len(ids) == 1 else 'them'} back)")


def _list(root: Path, proposals: Sequence[Proposal], *, as_json: bool) -> None:
    rows = [(one, _state(root, one)) for one in proposals]
    if as_json:
        _print_json([_proposal(one, state) for one, state in rows], [], 0)
        return
    say_table([(one.id, one.path, one.rule, state, one.why) for one, state in rows])
    if not rows:
        complain("no proposals wait")


def _state(root: Path, proposal: Proposal) -> str:
    """Whether the file is still what the proposal was made for."""
    try:
        now = digest(atomic.read(root / proposal.path))
    except InputError:
        return "file gone"
    return {proposal.before: "fits", proposal.after: "applied"}.get(now or "", "file changed")


def _print_json(proposals: list[dict[str, Any]], files: list[dict[str, Any]], code: int) -> None:
    head = {"schema": SCHEMA, "version": own_version()}
    value = {**head, "proposals": proposals, "files": files, "exit_code": code}
    emit(f"{json.dumps(value, indent=2)}\n".encode())


def _proposal(one: Proposal, state: str) -> dict[str, Any]:
    facts = {name: getattr(one, name) for name in ("id", "rule", "path", "why", "verdict", "created")}
    hashes = {"sha256_before": one.before, "sha256_after": one.after}
    return {**facts, "state": state, **hashes, "diff": one.patch.decode(errors="replace")}


def _file(one: Judged, id: str | None) -> dict[str, Any]:
    return {
        "path": one.path,
        "language": one.language,
        "sha256_before": digest(one.before),
        "sha256_after": digest(one.after),
        "written": id is not None,
        "undo": id,
        "diff": unified_diff(one.before, one.after, one.path).decode(one.encoding, "replace"),
    }


app = command(apply)
