"""`health`: exit code 0 once Plone answers /ok. Light, since it runs every few seconds: no Zope, no http.client."""

import os
import socket

from . import values, wsgi_ini
from .failure import Failure
from .image import read_text, this_image


def main(arguments):
    if arguments:
        raise Failure("USAGE", f"health takes no arguments, got {arguments[0]!r}.")
    image = this_image()
    text = os.environ.get("LISTEN_PORT", "").strip()
    port = values.port("LISTEN_PORT", text) if text else None
    ini = wsgi_ini.configure(read_text(image.wsgi_ini), os.path.dirname(image.wsgi_ini), port=port)
    host, port = wsgi_ini.addresses(ini)[0]
    answer = _ask(host, port)
    if b" 200 " not in answer.split(b"\r\n", 1)[0]:
        raise Failure("UNHEALTHY", "/ok does not answer 200.")
    return 0


def _ask(host, port):
    own = {"0.0.0.0": "127.0.0.1", "*": "127.0.0.1", "::": "::1"}
    try:
        if port == 0:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(5)
            connection.connect(host)
        else:
            connection = socket.create_connection((own.get(host, host), port), timeout=5)
        with connection:
            connection.sendall(b"GET /ok HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return connection.recv(512)
    except OSError as error:
        raise Failure("UNHEALTHY", f"Nothing answers on {host}:{port}: {error.strerror or error}.") from error
