"""How the tests run dcode: as a person would, in a process of its own, or inside this one with a scripted job."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from scripted import Dcode, Process, Run, Script, Seen, process_environment

from dcode.cli import work
from dcode.cli.app import main
from dcode.diffusion.plan import Plan


@pytest.fixture
def dcode(tmp_path: Path) -> Dcode:
    """The real command in a process of its own, in an empty folder; stdin, stdout and stderr are pipes."""

    def run(*args: str, stdin: bytes = b"", **environment: str) -> Process:
        return subprocess.run(
            [sys.executable, "-P", "-m", "dcode", *args],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env=process_environment() | environment,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with random weights: it loads and runs, and what it writes is noise."""
    import torch

    from dcode.model.backbone import Backbone, initialise
    from dcode.model.weights import pack
    from dcode.train.config import network
    from dcode.train.vocabulary import train_tokenizer

    folder = tmp_path_factory.mktemp("tiny")
    learned = train_tokenizer([Path(__file__).read_text("utf-8")], size=300)
    config = network("tiny", learned.get_vocab_size(), 256)
    net = Backbone(config)
    initialise(net, torch.Generator().manual_seed(0))
    weights = pack(net.state_dict())
    card = {"format": "dcode/1", "network": config.to_json(), "sha256": hashlib.sha256(weights).hexdigest()}
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "config.json").write_text(json.dumps(card), encoding="utf-8")
    learned.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Script:
    """Jobs that follow a script, run in an empty folder outside any repository."""
    import dcode.jobs.generate
    import dcode.jobs.infill

    written = Script()
    model = SimpleNamespace(checkpoint=SimpleNamespace(name="scripted"), digest="0" * 64)
    monkeypatch.setattr(dcode.jobs.infill, "infill", written.infill)
    monkeypatch.setattr(dcode.jobs.generate, "generate", written.generate)
    monkeypatch.setattr(work, "get_ready", lambda settings, *_: work.Ready(model, Plan(seed=settings.seed)))
    monkeypatch.chdir(tmp_path)
    return written


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """The command line inside this process."""

    def invoke(*args: str) -> Seen:
        code = main(args)
        seen = capfdbinary.readouterr()
        return Seen(code, seen.out, seen.err.decode("utf-8"))

    return invoke
