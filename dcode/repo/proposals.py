"""Proposals that wait for a person: changes to one file each, kept in the git directory until they are applied.

`dcode hook` adds them, `dcode apply` reads them. A linked worktree has its own. It is also remembered here which
proposals were shown already. What makes a good proposal is not known here, but lines that look like secrets are
never kept.
"""

import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from dcode.errors import InputError
from dcode.repo import atomic, git, shelf
from dcode.repo.entry import digest
from dcode.text.edit import unified_diff
from dcode.text.secrets import brings_secret

KIND = "proposal"
KEEP_S = 30 * 24 * 3600.0
KEEP_BYTES = 20_000_000
_SEEN_LINES = 10_000
_KEY_BYTES = 65  # a sha256 in hex and a newline
_SEE = "dcode apply lists what there is"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One change to the file at `path` (from the root of the repository, with slashes).

    `rule` is what asked for it, `why` a line for people, `verdict` how far it was checked. `patch` is a unified
    diff as `git apply` takes it; `before` and `after` are sha256 hex digests of the file on both sides of it.
    `id` is "" until it is kept; `created` is in seconds since the epoch.
    """

    id: str
    rule: str
    path: str
    why: str
    verdict: str
    before: str
    after: str
    created: float
    patch: bytes

    @staticmethod
    def of(path: str, before: bytes, after: bytes, *, rule: str, why: str, verdict: str) -> "Proposal":
        """The proposal to turn the file's bytes `before` into `after`; InputError if that brings a secret."""
        if brings_secret(before, after):
            raise InputError(f"the proposal for {path} holds what looks like a secret; it is not kept")
        hashes = (digest(before) or "", digest(after) or "")
        return Proposal("", rule, path, why, verdict, *hashes, time.time(), unified_diff(before, after, path))


@dataclass(frozen=True, slots=True)
class Proposals:
    """The proposals in `folder`, and how long and how much it keeps."""

    folder: Path
    keep_s: float = KEEP_S
    keep_bytes: int = KEEP_BYTES

    @staticmethod
    def locate(folder: Path) -> "Proposals":
        """Those of the repository that `folder` lies in; InputError outside of one."""
        found = git.git_path(folder, "dcode/proposals")
        if found is None:
            raise InputError(f"{folder} is in no repository", hint="proposals are kept in the git directory")
        return Proposals(found)

    def add(self, proposal: Proposal) -> Proposal:
        """Keep a proposal, and return it with its id when it is on the disk; InputError if that fails."""

        def header(id: str) -> dict[str, object]:
            return {name: value for name, value in asdict(replace(proposal, id=id)).items() if name != "patch"}

        try:
            shelf.prepare(self.folder)
            kept = replace(proposal, id=shelf.add(self.folder, KIND, header, proposal.patch))
        except OSError as error:
            raise InputError(f"cannot keep a proposal in {self.folder}: {error.strerror or error}") from None
        with suppress(OSError):  # somebody else may be tidying up as well
            shelf.prune(self.folder, KIND, self.keep_s, self.keep_bytes)
        return kept

    def entries(self) -> list[Proposal]:
        """All whole proposals, newest first."""
        found = (_parse(path) for _, path in reversed(shelf.records(self.folder, KIND)))
        return [proposal for proposal in found if proposal]

    def read(self, id: str) -> Proposal:
        """The proposal with this id; InputError if there is none."""
        found = _parse(self.folder / f"{id}.{KIND}") if re.fullmatch(r"[0-9]{1,12}", id) else None
        if found is None:
            raise InputError(f"there is no proposal {id}", hint=_SEE)
        return found

    def forget(self, id: str) -> None:
        """Remove the proposal with this id; InputError if there is none."""
        shelf.discard(self.folder, self.read(id).id)

    def seen(self, key: str) -> bool:
        """Whether the proposal with this key (see `seen_key`) was shown before."""
        return key in self._keys()

    def remember(self, key: str) -> None:
        """Note that the proposal with this key was shown; failing to is no harm, it is only shown again."""
        with suppress(OSError, InputError):
            shelf.prepare(self.folder)
            keys = self._keys()
            if len(keys) >= 2 * _SEEN_LINES:
                self._forget_old(keys)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
            file = os.open(self._seen_file, flags, 0o600)
            try:
                os.write(file, f"{key}\n".encode("ascii"))
            finally:
                os.close(file)

    @property
    def _seen_file(self) -> Path:
        return self.folder / "seen"

    def _keys(self) -> list[str]:
        """The keys of what was shown, oldest first; a line that is torn is none."""
        try:
            text = self._seen_file.read_bytes()[-4 * _SEEN_LINES * _KEY_BYTES :]
        except OSError:
            return []
        return re.findall(r"(?m)^[0-9a-f]{64}$", text.decode("ascii", "replace"))

    def _forget_old(self, keys: Sequence[str]) -> None:
        spare = self.folder / f"seen.{token_hex(8)}"
        atomic.write_new(spare, "".join(f"{key}\n" for key in keys[-_SEEN_LINES:]).encode("ascii"), mode=0o600)
        spare.replace(self._seen_file)


def seen_key(rule: str, path: str, hunk: bytes) -> str:
    """What a proposal is remembered by: its rule, its file and the content it is about, wherever that stands."""
    return sha256(b"\0".join((rule.encode(), os.fsencode(path), hunk))).hexdigest()


def _parse(path: Path) -> Proposal | None:
    """The proposal in a file, None if it is not whole."""
    found = shelf.header(path)
    if found is None or path.is_symlink():
        return None
    try:
        proposal = Proposal(**found[0], patch=shelf.payload(path))
    except (TypeError, InputError):
        return None
    words = (proposal.rule, proposal.path, proposal.why, proposal.verdict, proposal.before, proposal.after)
    whole = (
        all(isinstance(word, str) for word in words)
        and isinstance(proposal.created, int | float)
        and proposal.id == path.stem
    )
    return proposal if whole else None
