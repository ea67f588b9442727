"""The wsgi.ini of the image with another port and another zope.conf, and the addresses that it names. Pure."""

import re

_LISTEN = ("fast-listen", "listen")


def configure(text, folder, zope_conf=None, port=None):
    """`folder` is where the image's own lies, since the effective one lies elsewhere and may say `%(here)s`."""
    lines = []
    for section, line in _sections(text.replace("%(here)s", folder)):
        key, equals, value = _option(line)
        if zope_conf is not None and key == "zope_conf":
            line = f"{key}{equals}{zope_conf}"
        elif port is not None and section.startswith("server:"):
            if key in _LISTEN:
                line = f"{key}{equals}{' '.join(_with_port(address, port) for address in value.split())}"
            elif key == "port":
                line = f"{key}{equals}{port}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def addresses(text):
    """`(host, port)` of everything that [server:main] listens on; host is a path and port 0 for a socket in a file."""
    found, host, port = [], "0.0.0.0", 0
    for section, line in _sections(text):
        key, _, value = _option(line)
        if section != "server:main" or not value:
            continue
        if key in _LISTEN:
            found.extend(_split(address) for address in value.split())
        elif key == "unix_socket":
            found.append((value, 0))
        elif key == "host":
            host = value
        elif key == "port" and value.isdigit():
            port = int(value)
    return found or [(host, port or 8080)]


def _sections(text):
    section = ""
    for line in text.splitlines():
        header = re.match(r"\[([^\]]+)\]", line)
        if header:
            section = header[1].strip()
        yield section, line


def _option(line):
    match = re.match(r"([\w-]+)(\s*[=:]\s*)(.*)$", line)
    return (match[1].lower(), match[2], match[3].strip()) if match else ("", "", "")


def _split(address):
    host, _, port = address.rpartition(":")
    return (host.strip("[]") or "0.0.0.0", int(port)) if port.isdigit() else (address, 8080)


def _with_port(address, port):
    head, colon, old = address.rpartition(":")
    if address.isdigit():
        return str(port)
    return f"{head}:{port}" if colon and old.isdigit() else f"{address}:{port}"
