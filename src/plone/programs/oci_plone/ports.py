"""The port: free, or refused in one sentence before Zope takes its seconds to start."""

import errno
import os
import socket

from .failure import Failure

_HINT = "Choose another one with LISTEN_PORT."


def check(addresses):
    """Binds each address for a moment, as waitress will."""
    for host, port in addresses:
        if port == 0:
            continue
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_STREAM) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind(("" if host == "*" else host, port))
                listener.listen(1)
        except OSError as error:
            failure = refusal(error, f"{host}:{port}")
            if failure is not None:
                raise failure from error


def refusal(error, address):
    """The failure for what binding raised; None where it is better left to waitress."""
    if error.errno == errno.EADDRINUSE:
        return Failure("PORT_TAKEN", f"Something else listens on {address}.", _HINT)
    if error.errno in (errno.EACCES, errno.EPERM):
        return Failure("PORT_TAKEN", f"uid {os.geteuid()} may not listen on {address}.", _HINT)
    return None
