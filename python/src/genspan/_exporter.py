"""The OpenTelemetry SpanExporter, for libraries that hand over spans only after they have ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from ._processor import GenSpanProcessor

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._options import GenSpanOptions


class GenSpanExporter(SpanExporter):
    """
    genspan for what accepts only exporters, such as `Langfuse(span_exporter=…)`. It exports every span that it receives, because sampling was decided
    before. It learns of a span only when that ended: an LLM span whose parent comes in a later batch waits for it, for `entry["hold_millis"]`. With a
    provider that accepts span processors, use GenSpanProcessor.
    """

    def __init__(self, **options: Unpack[GenSpanOptions]) -> None:
        """Raises as GenSpanProcessor does."""
        self._processor = GenSpanProcessor(**options)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Hands over the spans. genspan batches, retries and counts by itself, so this does not wait for their delivery."""
        if not self._processor._sender.takes:
            return SpanExportResult.FAILURE
        self._processor._take(spans)
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """As that of GenSpanProcessor."""
        return self._processor.force_flush(timeout_millis)

    def shutdown(self) -> None:
        self._processor.shutdown()

    def stats(self) -> dict[str, Any]:
        """As that of GenSpanProcessor."""
        return self._processor.stats()
