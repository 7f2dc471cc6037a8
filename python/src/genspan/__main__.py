"""`python -m genspan convert|explain`: processes one OTLP body, or explains the result."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from ._convert import convert, explain
from ._options import PROFILES
from ._version import __version__

DESCRIPTION = """\
Reads the body of an OTLP ExportTraceServiceRequest, protobuf or JSON, plain or gzip, from FILE ("-": standard input) and
writes the processed one to standard output, or (explain) the reasons: for each span its conventions and entry, for each
attribute its source and rule. Spans that no backend would accept are omitted and counted in a line on standard error."""
STATUS = (
    "Exit status: 0 on success; 1 if the input is malformed, unreadable or has only such spans; 2 if the command line or the\n"
    "configuration is invalid."
)


def _quit(status: int, message: str) -> NoReturn:
    print(f"genspan: {message.removeprefix('genspan: ')}", file=sys.stderr)
    raise SystemExit(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m genspan", description=DESCRIPTION, epilog=STATUS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["convert", "explain"])
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--profile", metavar="NAME", help=", ".join(PROFILES))
    parser.add_argument("--keep", metavar="WHAT", help="source attributes to keep: unmapped, all, none")
    parser.add_argument("--format", choices=["protobuf", "json"], help="of the output; explain: json, or text by default")
    parser.add_argument("--config", metavar="FILE", help="JSON with further options of normalize(); the options above take precedence")
    parser.add_argument("--version", action="version", version=__version__)
    return parser


def _config(path: str | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            options = json.load(file)
    except OSError as error:
        _quit(2, f"{path}: {error.strerror}")
    except ValueError:
        _quit(2, f"{path}: is not JSON; write an object with options")
    if not isinstance(options, dict):
        _quit(2, f"{path}: is not an object; write an object with options")
    return options


def _body(path: str) -> bytes:
    try:
        if path == "-":
            body = sys.stdin.buffer.read()
        else:
            with open(path, "rb") as file:
                body = file.read()
        return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    except (OSError, EOFError) as error:
        _quit(1, f"{path}: {getattr(error, 'strerror', None) or error}")


def _report(span: Mapping[str, Any]) -> str:
    """One span for a reader: its output attributes with their sources, and the removed ones with the reasons."""
    attributes, gone = span.get("attributes", []), span.get("gone", [])
    width = min(48, max((len(of["key"]) for of in [*attributes, *gone]), default=0))
    entry = span["entry"]

    def rule(of: Mapping[str, Any]) -> str:
        parts = [of.get("from") if of.get("from") != of["key"] else None, of.get("convention") and f"[{of['convention']}]", of.get("how")]
        return " ".join(part for part in parts if part)

    lines = [f"{span['name']}  {span['spanId']}  {', '.join(span['conventions']) or 'no LLM convention'}"]
    lines.append(f"  {'◆ entry' if entry['is'] else '  no entry'}: {entry['why']}")
    for of in attributes:
        lines.append(f"  {'=' if 'kept' in of else '+'} {of['key']:{width}}  {of.get('kept') or rule(of)}")
    for of in gone:
        by = f": {', '.join(of['by'])}" if of["by"] else ""
        lost = f"; lost: {', '.join(of['missing'])}" if of.get("missing") else ""
        lines.append(f"  - {of['key']:{width}}  {of['why']}{by}{lost}")
    lines.extend(f"  - event {event}: read into attributes" for event in span.get("goneEvents", []))
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    path: str = given.file
    options: Any = _config(given.config)
    named = {"profile": given.profile, "keep": given.keep, "to": given.format if given.command == "convert" else None}
    options |= {name: value for name, value in named.items() if value is not None}
    options["on_partial_success"] = lambda count, message: print(f"genspan: {path}: {message}", file=sys.stderr)
    try:
        convert(b"", **(options | {"from_": "protobuf"}))
    except ValueError as error:
        _quit(2, str(error))
    body = _body(path)
    try:
        if given.command == "explain":
            spans = explain(body, **options)
            text = json.dumps(spans, indent=2, ensure_ascii=False) + "\n" if given.format == "json" else "\n".join(map(_report, spans))
            out = text.encode()
        else:
            out = convert(body, **options)
    except ValueError as error:
        _quit(1, f"{path}: {str(error).removeprefix('genspan: ')}")
    try:
        sys.stdout.buffer.write(out)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # A reader that has read enough, such as head, is not an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
