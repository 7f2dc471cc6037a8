"""genspan turns the spans of any LLM instrumentation into one clean, standard OpenTelemetry trace."""

from ._convert import convert, explain, normalize
from ._exporter import GenSpanExporter
from ._processor import GenSpanProcessor
from ._propagator import GenSpanPropagator
from ._types import Media, PartialSuccess
from ._version import __version__

__all__ = ["GenSpanExporter", "GenSpanProcessor", "GenSpanPropagator", "Media", "PartialSuccess", "__version__", "convert", "explain", "normalize"]
