"""Fetch a model from a hub into its shared cache: safetensors and tokenizer files, at one commit, hash by hash.

This is the only file of the package that opens connections, and only `dcode models pull` calls it. What the hub says
of a file is not believed: each is hashed after it came, and nothing is recorded before all of them are right.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from huggingface_hub import HfApi, constants, hf_hub_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from tqdm import tqdm  # type: ignore[import-untyped]

from dcode.errors import ModelError
from dcode.model.registry import Known, Pulled, known

WANTED = (
    *("*.safetensors", "model.safetensors.index.json", "config.json", "generation_config.json"),
    *("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.json", "merges.txt"),
    *("added_tokens.json", "special_tokens_map.json", "chat_template.jinja", "chat_template.json"),
)
"""File names that are fetched: numbers and texts. Pickles and code never are."""

constants.HF_HUB_DISABLE_TELEMETRY = True  # else a pull tells what is installed here, and asks one more address


@dataclass(frozen=True, slots=True)
class Remote:
    """A file as the hub describes it: bytes, and its sha256, or for a small one the id of its git blob."""

    name: str
    size: int
    sha256: str | None
    blob: str | None


@dataclass(frozen=True, slots=True)
class Offer:
    """What a pull would fetch."""

    repository: str
    commit: str
    licence: str
    files: tuple[Remote, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def look_up(repository: str, revision: str | None = None, endpoint: str | None = None) -> Offer:
    """What the hub has under this name, at the commit that `revision` means now."""
    with _told(repository):
        info = HfApi(endpoint=endpoint).model_info(repository, revision=revision, files_metadata=True)
    files = tuple(_remote(item) for item in info.siblings or () if _is_wanted(item.rfilename))
    if not info.sha or not any(file.name.endswith(".safetensors") for file in files):
        raise ModelError(f"{repository} has no safetensors weights", hint="other formats can run code and are refused")
    licence = str(getattr(info.card_data, "license", None) or "not stated")
    return Offer(repository, info.sha, licence, files)


def fetch(
    name: str,
    offer: Offer,
    on_bytes: Callable[[int], None],
    *,
    cache: Path | None = None,
    endpoint: str | None = None,
) -> Pulled:
    """Download what is missing, going on where an earlier try stopped, hash everything, and describe it.

    `on_bytes` hears of every stretch of bytes. Raises ModelError for a hub that fails or lies.
    """

    class Counting(tqdm):  # type: ignore[misc]
        """What the downloader believes to be a progress bar."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(disable=True)

        def update(self, n: float | None = 1) -> bool | None:
            on_bytes(int(n or 0))
            return None

    found: dict[str, Known] = {}
    folder = Path()
    for file in offer.files:
        with _told(f"{offer.repository}: {file.name}"):
            path = Path(
                hf_hub_download(
                    offer.repository,
                    file.name,
                    revision=offer.commit,
                    cache_dir=cache,
                    endpoint=endpoint,
                    tqdm_class=Counting,
                )
            )
        found[file.name] = _checked(path, file)
        folder = path.parents[len(PurePosixPath(file.name).parts) - 1]
    return Pulled(name, offer.repository, offer.commit, offer.licence, str(folder), found)


def _is_wanted(name: str) -> bool:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name:
        raise ModelError(f"the hub names a file {name!r}", hint="a path that leads elsewhere: nothing was fetched")
    return len(parts) == 1 and any(fnmatchcase(name, pattern) for pattern in WANTED)


def _remote(item: Any) -> Remote:
    return Remote(item.rfilename, int(item.size or 0), item.lfs.sha256 if item.lfs else None, item.blob_id)


def _checked(path: Path, file: Remote) -> Known:
    """The file, hashed; what is not as the hub announced it is removed, so that a new try fetches it again."""
    now = known(path)
    if file.sha256 is not None:
        right = now.sha256 == file.sha256
    else:
        right = file.blob is None or _git_blob(path.read_bytes()) == file.blob
    if not right or (file.size and now.size != file.size):
        path.resolve().unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise ModelError(f"{file.name} is not what the hub announced", hint="its hash differs; pull again later")
    return now


def _git_blob(data: bytes) -> str:
    """The id git gives to a file with these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Turns every way in which a hub can fail into one line."""
    try:
        yield
    except GatedRepoError:
        raise ModelError(f"{what}: access must be granted first", hint="ask on its page, then log in") from None
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError):
        raise ModelError(f"{what}: the hub does not know it") from None
    except HfHubHTTPError as error:
        raise ModelError(f"{what}: the hub answered {error.response.status_code}", hint="try again later") from None
    except ModelError:
        raise
    except ValueError:
        raise ModelError(f"{what}: the hub's answer makes no sense", hint="try again later") from None
    except Exception as error:  # whatever the client's own HTTP library raises, in any of its versions
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(f"{what}: {reason}", hint="pulling again goes on where it stopped") from None
