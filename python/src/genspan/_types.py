"""Types that several modules share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol as Interface, TypedDict, Union

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

Protocol = Literal["http/protobuf", "http/json", "grpc"]

FilterValue = Union[str, int, float, bool, None, Sequence[Union[str, int, float, bool, None]]]
"""One of several texts (`*` matches anything), numbers or booleans; None means that the attribute is not present."""


class FilterCondition(TypedDict, total=False):
    """A condition on a span. All fields that are set must match."""

    llm: bool
    """Whether the span is an LLM span."""
    scope: str | Sequence[str]
    """The instrumentation scope."""
    name: str | Sequence[str]
    operation: str | Sequence[str]
    """`gen_ai.operation.name`, whatever convention wrote the span: "chat", "embeddings", …"""
    attributes: Mapping[str, FilterValue]
    """Attributes as the application wrote them."""


FilterRules = TypedDict(
    "FilterRules", {"only": Sequence[FilterCondition], "except": Sequence[FilterCondition]}, total=False
)
"""Selects the spans that match a condition of `only` (default: all spans) and no condition of `except`."""


class KeyMapping(TypedDict, total=False):
    """What keys of the application's own mean: `{"keys": {"my.model": "request.model"}}`. docs/conventions.md lists the fields."""

    scope: str
    """The instrumentation scopes in which it holds; `*` stands for any text. Default: all."""
    keys: Mapping[str, str | Mapping[str, Any]]
    """The field of each key, or `{"to": field, "values": …}`."""
    values: Mapping[str, str]
    """Words that stand for the values of these keys, such as `{"LLM_CALL": "chat"}`."""


class Tls(TypedDict, total=False):
    """PEM, as text or bytes."""

    ca: str | bytes
    """Certificate authorities that may have signed the server's certificate, instead of those that the system trusts."""
    cert: str | bytes
    """The client's certificate."""
    key: str | bytes
    """The key of the client's certificate."""


SpanFilter = Callable[["ReadableSpan"], bool]
"""Returns True if the span goes to the destination. Called on genspan's thread when it reads the start and the end of a span. It must not change
the span. If it raises, the span is exported."""


@dataclass(frozen=True)
class Media:
    """Media that was found in content."""

    type: str
    """Media type, such as `image/png`; `media` if the source has none."""
    base64: str
    """The data as the source wrote it."""
    key: str
    """The key of the attribute that contains it."""


@dataclass(frozen=True)
class PartialSuccess:
    """What a backend rejected of a batch that it accepted."""

    destination: str
    """The destination's name."""
    rejected_spans: int
    """The number of rejected spans; 0 if the message is a warning."""
    error_message: str


@dataclass
class Answer:
    """The answer of a backend."""

    status: int
    """The HTTP status, or the gRPC status code (below 100)."""
    retry_after: float = -1
    """The wait that the server requests, in ms; -1 if it requests none."""
    body: bytes = b""
    """The body of the answer; for a failed gRPC call, the encoded `google.rpc.Status`."""
    message: str = ""
    """The message of a gRPC status."""

    @property
    def is_taken(self) -> bool:
        return self.status == 0 or 200 <= self.status < 300


class Send(Interface):
    """Sends batches to one destination. Calls may come from several threads at a time."""

    def __call__(self, body: bytes) -> Answer:
        """Raises if there is no answer within the time limit."""
        ...

    def close(self) -> None:
        """Gives up the connections; requests in flight fail."""


@dataclass
class Route:
    """The part of a destination's configuration that the transport needs."""

    name: str
    endpoint: str
    protocol: Protocol
    headers: Callable[[], dict[str, str]]
    gzip: bool
    timeout_millis: float
    tls: Tls | None
    secrets: list[str]
    """Texts that no message may contain."""
    max_queue_size: int
    concurrency_limit: int = 4
    """Maximum number of requests in flight."""
    filter: SpanFilter | None = None


@dataclass(frozen=True)
class SpoolSettings:
    """`SpoolOptions` with all defaults filled in."""

    dir: str
    max_bytes: int


@dataclass
class Config:
    """What the options and the environment say."""

    disabled: bool
    """Whether OTEL_SDK_DISABLED is set."""
    core: dict[str, Any]
    """The configuration of the core."""
    routes: list[Route]
    """One route per destination, in the order of the core's destinations."""
    flush_timeout_millis: int
    spool: SpoolSettings | None = None
    accounts: list[str] = field(default_factory=list)
    """With a spool: the account of each destination, including its credentials. Batches spooled for one account are sent to no other."""


Warn = Callable[[str, str], None]
"""Reports a problem, with its cause."""
