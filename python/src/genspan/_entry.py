"""What the entry point `opentelemetry_traces_exporter: genspan` makes."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from ._exporter import GenSpanExporter

logger = logging.getLogger("genspan")


class EnvironmentExporter(SpanExporter):
    """
    The exporter of the environment: the variables of OpenTelemetry, and GENSPAN_CONFIG, the path of a JSON file with further options. A bad
    configuration is logged, and nothing is exported: an exception here would switch off all of the automatic instrumentation.
    """

    def __init__(self, **options: Any) -> None:
        self._exporter: GenSpanExporter | None = None
        try:
            self._exporter = GenSpanExporter(**{**_file(), **options})
        except Exception as error:
            logger.error("%s; nothing is exported", error)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export(spans) if self._exporter else SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis) if self._exporter else True

    def shutdown(self) -> None:
        if self._exporter:
            self._exporter.shutdown()


def _file() -> dict[str, Any]:
    path = os.environ.get("GENSPAN_CONFIG")
    if not path:
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            options = json.load(file)
    except OSError as error:
        raise ValueError(f"genspan: GENSPAN_CONFIG: {path} cannot be read ({error.strerror}); use the path of a JSON file") from None
    except ValueError:
        raise ValueError(f"genspan: GENSPAN_CONFIG: {path} is not JSON; write an object with options") from None
    if not isinstance(options, dict):
        raise ValueError(f"genspan: GENSPAN_CONFIG: {path} is not an object; write an object with options")
    return options
