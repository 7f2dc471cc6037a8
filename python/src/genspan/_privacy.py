"""
The hooks of the application. They run here, on the values as the application wrote them, before the core sees a span: the core cannot call
back. Everything fails closed: a value whose hook raises, or returns no text, is replaced.
"""

from __future__ import annotations

import inspect
import json
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ._check import fail, kind_of
from ._frame import Edit
from ._types import Media

FAILED = "<masked: the hook failed>"

# A data URL with base64.
_DATA_URL = re.compile(r"data:([\w.+/-]{0,80})(?:;[\w=.+-]{1,80}){0,4};base64,([A-Za-z0-9+/_=-]+)")
# The members of a JSON object that name the type of its data, and those that hold data.
_TYPES = ("mime_type", "mimeType", "media_type", "mediaType", "mimetype", "contentType", "content_type", "format")
_DATA = ("data", "content", "base64", "bytes", "blob", "b64_json", "image", "audio", "file_data", "image_data")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
# Base64 without a type beside it is taken for media if it is at least this long.
_LONG = 1024

# Maximum number of keys that are remembered.
_MOST_NAMES = 4096

_running: set[int] = set()


def in_hook() -> bool:
    """Returns True if a hook of the application runs on this thread. Spans that it starts are not traced, because the hook would be called for them too."""
    return bool(_running) and threading.get_ident() in _running


def inside(call: Callable[[], Any]) -> Any:
    """Calls a hook."""
    thread = threading.get_ident()
    _running.add(thread)
    try:
        return call()
    finally:
        _running.discard(thread)


class Hooks(Edit):
    """The hooks of the options, and what they make of spans."""

    def __init__(self, mask: Callable[[str, str], object] | None, on_media: Callable[[Media], object] | None) -> None:
        self._mask = mask
        self._on_media = on_media
        # Returns True if the values of a key are names, ids or numbers.
        self.is_name: Callable[[str], bool] = lambda key: False
        self._names: dict[str, bool] = {}
        # Called with the name of a hook that failed.
        self.failed: Callable[[str], None] = lambda _: None
        self.masked = self.mask_failed = self.media_replaced = 0

    @staticmethod
    def of(options: Mapping[str, Any]) -> Hooks:
        """Raises unless the hooks are functions."""
        for name in ("mask", "on_media"):
            hook = options.get(name)
            if hook is not None and not callable(hook):
                fail(name, f"is {kind_of(hook)}", "pass a function; mask rules belong in privacy.mask")
        return Hooks(options.get("mask"), options.get("on_media"))

    def check_privacy(self, at: str, privacy: object) -> None:
        """Raises if settings contradict the hooks."""
        if not isinstance(privacy, Mapping):
            return
        if self._on_media and privacy.get("media") == "keep":
            fail(f"{at}.media", '"keep" disables on_media', 'use "describe"')
        mask = privacy.get("mask")
        if mask is not None and not isinstance(mask, (list, tuple)):
            fail(f"{at}.mask", f"is {kind_of(mask)}", 'write [{"detect": ["email"]}]; pass a hook in the top-level option mask')

    @property
    def edit(self) -> Edit | None:
        """The hooks in the form that the frame writer calls; None if there are none."""
        return self if self._mask or self._on_media else None

    def attributes(self, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        items = getattr(attributes, "_dict", attributes).items()
        return {key: value if self._skips(key, value) else self._value(value, str(key)) for key, value in items}

    def _skips(self, key: Any, value: Any) -> bool:
        if not isinstance(value, (str, list, tuple, Mapping)):
            return True
        is_name = self._names.get(key)
        if is_name is None:
            is_name = self.is_name(str(key))
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            self._names[str(key)] = is_name
        return is_name

    def _value(self, value: Any, key: str) -> Any:
        if isinstance(value, str):
            return self.text(str(value), key)
        if isinstance(value, (list, tuple)):
            return [self._value(one, key) for one in value]
        if isinstance(value, Mapping):
            return {name: self._value(one, key) for name, one in value.items()}
        return value

    def text(self, text: str, key: str) -> str:
        try:
            if self._on_media:
                text = self._media(text, key)
            return self._masked(text, key) if self._mask else text
        except Exception:
            # Includes texts nested too deep to be searched. The error may contain the text that was to be masked, so it is not reported.
            self.mask_failed += 1
            return FAILED

    def _said(self, name: str, call: Callable[[], object]) -> str:
        try:
            said = inside(call)
        except Exception:
            said = None
        if isinstance(said, str):
            return said
        if inspect.iscoroutine(said):
            # Nobody awaits it, and it would warn about that.
            said.close()
        self.failed(name)
        self.mask_failed += 1
        return FAILED

    def _masked(self, text: str, key: str) -> str:
        mask = self._mask
        if mask is None:
            return text
        said = self._said("mask", lambda: mask(text, key))
        self.masked += said != text
        return said

    def _replaced(self, type: str, base64: str, key: str) -> str:
        on_media = self._on_media
        if on_media is None:
            return base64
        self.media_replaced += 1
        return self._said("on_media", lambda: on_media(Media(type if re.fullmatch(r"[\w.+/-]{1,80}", type) else "media", base64, key)))

    def _media(self, text: str, key: str) -> str:
        """The text with its media replaced: data URLs, and base64 in JSON."""
        if text[:1] in ("{", "["):
            try:
                value = json.loads(text)
            except ValueError:
                pass
            else:
                before = self.media_replaced
                found = self._in_json(value, key)
                return json.dumps(found, ensure_ascii=False) if self.media_replaced > before else text
        return self._in_text(text, key)

    def _in_text(self, text: str, key: str) -> str:
        return _DATA_URL.sub(lambda found: self._replaced(found[1], found[2], key), text) if ";base64," in text else text

    def _in_json(self, value: Any, key: str) -> Any:
        if isinstance(value, str):
            # JSON in a JSON string, as tools return it.
            return self._media(value, key) if ";base64," in value or value[:1] in ("{", "[") else value
        if isinstance(value, list):
            return [self._in_json(one, key) for one in value]
        if not isinstance(value, dict):
            return value
        type = next((value[name] for name in _TYPES if isinstance(value.get(name), str)), None)
        declared = type is not None or value.get("type") in ("blob", "base64")
        return {
            name: self._replaced(type or "media", one, key)
            if name in _DATA and isinstance(one, str) and one and (declared or len(one) >= _LONG) and _BASE64.fullmatch(one)
            else self._in_json(one, key)
            for name, one in value.items()
        }
