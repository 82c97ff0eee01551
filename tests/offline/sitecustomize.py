"""No test may reach the network: whoever tries gets an error, in this process and in every Python it starts.

Python imports this file by itself when its folder is in PYTHONPATH; tests/conftest.py puts it there. What stays on
this machine (loopback, sockets with a path) is left alone.
"""

import sys
from typing import Any

attempts: list[str] = []
"""What was tried in this process, also where somebody swallowed the error."""

_AT_HOME = ("localhost", "127.", "::1", "0.0.0.0")
_EVENTS = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0}


def _guard(event: str, args: tuple[Any, ...]) -> None:
    if event not in _EVENTS:
        return
    address = args[_EVENTS[event]]
    host = address[0] if isinstance(address, tuple) else address
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    on_path = event in ("socket.connect", "socket.sendto") and not isinstance(address, tuple)
    if not on_path and isinstance(host, str) and host and not host.startswith(_AT_HOME):
        attempts.append(f"{event} {host}")
        raise RuntimeError(f"the suite has no network: {event} {host}")


sys.addaudithook(_guard)
