"""Checks of options. Every error has the form `genspan: <path>: <value> <problem>; <fix>`, where the path is the one that the user wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from ._options import GROUPS, NAMES

MAX_MILLIS = 2**31 - 1
# The largest number of letters in which a misspelt name may differ from the intended one.
MAX_TYPOS = 2


def fail(path: str, problem: str, fix: str) -> NoReturn:
    raise ValueError(f"genspan: {path}: {problem}; {fix}")


def millis(path: str, value: object, given: object = None) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_MILLIS:
        return value
    fail(path, f"{value if given is None else given} is out of range", f"use a whole number from 0 to {MAX_MILLIS} (ms)")


def positive(path: str, value: object, given: object = None) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_MILLIS:
        return value
    fail(path, f"{value if given is None else given} is out of range", "use a whole number, 1 or more")


def known(at: str, options: object, fields: Sequence[str]) -> Mapping[str, Any]:
    """Raises unless `options` is a mapping that has only these fields. `at` is its path, or "" for the options themselves."""
    if not isinstance(options, Mapping):
        example = "endpoint" if "endpoint" in fields else fields[0]
        fail(at, f"is {kind_of(options)}", f'write a dictionary, such as {{"{example}": …}}')
    for field in options:
        if field in fields:
            continue
        name = str(field)
        near = _nearest(name.replace("_", ""), fields)
        path = f"{at}.{name}" if at else name
        fail(path, "is not an option", f"did you mean {near}?" if near else f"known: {', '.join(fields)}")
    return options


def for_core(at: str, value: Any, group: str | None = None) -> Any:
    """The value of an option in the form that the core reads. `group` names the options that it holds, if it holds any."""
    if group is None:
        return _plain(at, value)
    if isinstance(value, (list, tuple)):
        return [for_core(f"{at}[{i}]", one, group) for i, one in enumerate(value)]
    names = NAMES[group]
    known(at, value, list(names))
    return {
        names[name]: for_core(f"{at}.{name}", of, GROUPS.get(name)) for name, of in value.items() if of is not None or name.startswith("max_")
    }


def _plain(at: str, value: Any) -> Any:
    """The value as JSON has it. Raises if it would be lost or changed on the way."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if value - value != 0:
            fail(at, f"{value} is out of range", "use a finite number")
        return value
    if isinstance(value, re.Pattern):
        # The other flags control only how the pattern is written.
        flags = "".join(letter for letter, flag in (("i", re.I), ("m", re.M), ("s", re.S)) if value.flags & flag)
        return f"(?{flags}){value.pattern}" if flags else value.pattern
    if isinstance(value, Mapping):
        return {str(key): _plain(f"{at}.{key}", of) for key, of in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray)):
        return [_plain(f"{at}[{i}]", one) for i, one in enumerate(value)]
    fail(at, f"is {kind_of(value)}", "use text, numbers, booleans, lists and dictionaries")


_SNAKE = {camel: snake for names in NAMES.values() for snake, camel in names.items() if snake != camel}


def in_python(message: str) -> str:
    """A message of the core with the names that options have in Python. What stands in quotes is the user's, and stays."""
    return re.sub(r'("(?:[^"\\]|\\.)*")|\b(\w+)\b', lambda m: m[1] or _SNAKE.get(m[2], m[2]), message)


def kind_of(value: object) -> str:
    """The type of a value, for error messages. They never contain the value itself, which may be a secret."""
    if value is None:
        return "None"
    return f"of type {type(value).__name__}"


def shown(value: object) -> str:
    """An invalid value, quoted for an error message."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)


def printable(url: str) -> str:
    """
    A URL, or a text intended as one, in a form that messages may contain: without user name and password, which may contain any character, and
    without query and fragment.
    """
    found = re.match(r"([a-z][a-z0-9+.-]*://)?(.*)$", url, re.I | re.S)
    scheme, rest = (found[1] or "", found[2]) if found else ("", url)
    at = rest.rfind("@") + 1
    visible = re.split(r"[?#]", rest[at:], maxsplit=1)[0]
    return scheme + ("…@" if at else "") + visible + ("?…" if at + len(visible) < len(rest) else "")


def _nearest(name: str, fields: Sequence[str]) -> str | None:
    def typos(field: str) -> int:
        return _distance(name.lower(), field.replace("_", ""))

    limit = min(MAX_TYPOS, len(name) / 3)
    return min((field for field in fields if typos(field) <= limit), key=typos, default=None)


def _distance(a: str, b: str) -> int:
    """The number of letters that have to be inserted, removed or replaced to turn one text into the other."""
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a):
        following = [i + 1]
        for j, other in enumerate(b):
            following.append(min(row[j] + (letter != other), row[j + 1] + 1, following[j] + 1))
        row = following
    return row[-1]
