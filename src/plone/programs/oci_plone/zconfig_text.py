"""
A ZConfig file as text: read into its sections, changed, and written with everything else as it was. ZConfig itself only
reads, and needs a schema for it.
"""

import re

_OPEN = re.compile(r"<([a-z][\w.-]*)(?:\s+([^\s/>]+))?\s*(/?)>$", re.IGNORECASE)
_CLOSE = re.compile(r"</([a-z][\w.-]*)\s*>$", re.IGNORECASE)


class Directive:
    """A line: `key value`, or a comment, an empty line, a `%define`."""

    def __init__(self, text):
        self.text = text
        parts = text.split(None, 1)
        plain = bool(parts) and not parts[0].startswith(("#", "%"))
        self.key = parts[0].lower() if plain else ""
        self.value = parts[1].strip() if plain and len(parts) > 1 else ""

    def lines(self):
        return [self.text]


class Section:
    """`<type name> … </type>`; the whole file is one without a type."""

    def __init__(self, type_, name="", indent=""):
        self.type = type_.lower()
        self.name = name
        self.indent = indent
        self.children = []

    def lines(self):
        inner = [line for child in self.children for line in child.lines()]
        if not self.type:
            return inner
        start = f"<{self.type} {self.name}>" if self.name else f"<{self.type}>"
        return [self.indent + start, *inner, f"{self.indent}</{self.type}>"]

    def sections(self, type_=None, name=None):
        return [
            child
            for child in self.children
            if isinstance(child, Section) and type_ in (None, child.type) and name in (None, child.name)
        ]

    def every_section(self):
        """This one and all below it."""
        yield self
        for section in self.sections():
            yield from section.every_section()

    def directives(self, key=None):
        return [c for c in self.children if isinstance(c, Directive) and c.key and key in (None, c.key)]

    def value(self, key):
        found = self.directives(key)
        return found[-1].value if found else None

    def set(self, key, *texts):
        """Sets a directive, or all of a multi-key, in the place where it stood."""
        inner = self.indent + "    " if self.type else ""
        new = [Directive(f"{inner}{key} {escape(text)}") for text in texts]
        old = self.directives(key)
        position = self.children.index(old[0]) if old else len(self.children)
        self.children[position:position] = new
        self.children = [child for child in self.children if child not in old]

    def add(self, type_, name=""):
        section = Section(type_, name, self.indent + "    " if self.type else "")
        self.children.append(section)
        return section


def parse(text):
    """The tree of a file. What is malformed stays a line: ZConfig will say so."""
    root = Section("")
    stack = [root]
    for line in text.splitlines():
        stripped = line.strip()
        opened = _OPEN.match(stripped)
        closed = _CLOSE.match(stripped)
        if opened:
            section = Section(opened[1], opened[2] or "", line[: len(line) - len(line.lstrip())])
            stack[-1].children.append(section)
            if not opened[3]:
                stack.append(section)
        elif closed and len(stack) > 1 and closed[1].lower() == stack[-1].type:
            stack.pop()
        else:
            stack[-1].children.append(Directive(line))
    return root


def render(root):
    return "\n".join(root.lines()) + "\n"


def escape(text):
    """A value in which ZConfig replaces nothing."""
    return text.replace("$", "$$")


def expand(root, text, environment):
    """A value as ZConfig reads it: `$name` and `${name}` by `%define`, `$(NAME)` from the environment, `$$`."""
    defined = {}
    for child in root.children:
        parts = child.text.split(None, 2) if isinstance(child, Directive) else []
        if len(parts) == 3 and parts[0] == "%define":
            defined[parts[1].lower()] = _replace(parts[2].strip(), defined, environment)
    return _replace(text, defined, environment)


def _replace(text, defined, environment):
    def one(match):
        if match[0] == "$$":
            return "$"
        if match["env"]:
            return environment.get(match["env"], match[0])
        return defined.get((match["plain"] or match["braced"]).lower(), match[0])

    return re.sub(r"\$(?:\$|\((?P<env>\w+)\)|(?P<plain>[a-z_]\w*)|\{(?P<braced>[a-z_]\w*)\})", one, text, flags=re.I)
