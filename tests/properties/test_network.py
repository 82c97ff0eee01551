"""The suite's own guard: that it refuses, here and in the processes that tests start, and lets neighbours talk."""

import socket
import subprocess
import sys

import pytest
import sitecustomize

CALLS = (
    "socket.create_connection(('192.0.2.1', 80), 0.01)",
    "socket.getaddrinfo('example.org', 80)",
    "socket.gethostbyname('example.org')",
    "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 53))",
    "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))",
)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_calling_out_is_refused(call: str) -> None:
    with pytest.raises(RuntimeError, match="the suite has no network"):
        eval(call, {"socket": socket})
    assert len(sitecustomize.attempts) == 1
    sitecustomize.attempts.clear()


def test_calling_out_is_refused_in_other_processes() -> None:
    code = f"import socket\ntry: {CALLS[0]}\nexcept RuntimeError as error: print(error)"
    for flags in ((), ("-P",)):
        done = subprocess.run([sys.executable, *flags, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.startswith("the suite has no network")


def test_neighbours_may_talk() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), 5):
        pass
    here, there = socket.socketpair()
    here.close()
    there.close()
