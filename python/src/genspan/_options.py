"""The options of the package, made from the list of the core by `cargo run --example options`. A test compares the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypedDict

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.metrics import MeterProvider
    from typing_extensions import Required

    from ._types import FilterRules, KeyMapping, Media, PartialSuccess, Protocol, SpanFilter, Tls

Profile = Literal["otel", "otel-1.41", "tencent", "tencent-cls", "langfuse", "openinference"]
Keep = Literal["unmapped", "all", "none"]


class DeliveryOptions(TypedDict, total=False):
    """How batches are made and sent, for all destinations or for one of them."""

    scheduled_delay_millis: int
    """How long a span waits for others to fill its batch, in ms. Default: 5000, or `OTEL_BSP_SCHEDULE_DELAY`."""
    max_export_batch_size: int
    """Maximum number of spans in a batch. Default: 512, or `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`."""
    max_export_batch_bytes: int
    """Maximum size of one request, in bytes as encoded, before compression; at most 33554432 (32 MiB). Default: 4194304 (4 MiB)."""
    max_queue_size: int
    """Maximum number of spans that wait; further ones are dropped and counted. Default: 8192, or `OTEL_BSP_MAX_QUEUE_SIZE`."""
    max_queue_bytes: int
    """Maximum size of the spans that wait, in bytes as encoded. Default: 67108864 (64 MiB)."""
    drop_policy: Literal["oldest", "newest"]
    """What a full queue drops; entries are the last to go. Default: "oldest"."""
    export_timeout_millis: int
    """How long the delivery of a batch is tried, retries included, in ms. Default: 300000, or `OTEL_BSP_EXPORT_TIMEOUT`."""
    concurrency_limit: int
    """Maximum number of requests in flight. Default: 4."""
    retry: RetryOptions
    """How long to wait before a retry."""
    breaker: BreakerOptions
    """When a destination that fails is left alone."""


class RetryOptions(TypedDict, total=False):
    """How long to wait before a retry."""

    initial_millis: int
    """Upper limit of the first wait, in ms. The limit doubles with each retry; the wait is random below it. Default: 1000."""
    max_millis: int
    """Upper limit of every wait, in ms. Default: 30000."""


class BreakerOptions(TypedDict, total=False):
    """When a destination that fails is left alone."""

    failures: int
    """Number of consecutive failures after which the destination is left alone; 0: never. Default: 5."""
    open_millis: int
    """How long it is left alone, in ms; then one request probes it. Default: 10000."""


class DestinationOptions(DeliveryOptions, total=False):
    """Where spans go, and in which form."""

    name: str
    """Its name in statistics and diagnostics; with a spool, part of the name of its account. Default: "otlp-0", by its place."""
    endpoint: str
    """URL that OTLP is posted to, as it stands. Default: http://localhost:4318/v1/traces; for gRPC http://localhost:4317, or `OTEL_EXPORTER_OTLP_[TRACES_]ENDPOINT`."""
    protocol: Protocol
    """How requests are made and encoded. `"grpc"` needs the extra `genspan[grpc]`. Default: "http/protobuf", or `OTEL_EXPORTER_OTLP_[TRACES_]PROTOCOL`."""
    headers: Mapping[str, str] | Callable[[], Mapping[str, str]]
    """Request headers: a mapping; or a function that returns one for each request, for tokens that change. Default: `OTEL_EXPORTER_OTLP_[TRACES_]HEADERS`."""
    profile: Profile
    """The attributes that the backend reads. Default: "otel"."""
    keep: Keep
    """Which source attributes stay: `"unmapped"` keeps those that no attribute of the profile replaces, `"all"`, `"none"`. Default: by profile: "unmapped", with "tencent" "all"."""
    service_name: str
    """Resource attribute `service.name`. Default: the provider's, or `OTEL_SERVICE_NAME`."""
    token: str
    """Resource attribute `token` (profile `"tencent"`), a secret that is sent to this destination only. Default: `OTEL_RESOURCE_ATTRIBUTES`."""
    region: str
    """The region of the log topic (profile `"tencent-cls"`), such as `"ap-guangzhou"`. With `topic_id`, `secret_id` and `secret_key` it stands for `endpoint` and `headers`; an `endpoint` beside it, such as that of a private network, is used in its place."""
    topic_id: str
    """Id of the log topic (profile `"tencent-cls"`), sent as the header `topic_id`."""
    secret_id: str
    """Id of the key of the Tencent Cloud account (profile `"tencent-cls"`), which needs the permission `cls:pushLog`."""
    secret_key: str
    """The key itself, a secret that is sent to this destination only."""
    host_name: str
    """Resource attribute `host.name`, at this destination only. Profile `"tencent"` has the machine's first address by default. Default: `OTEL_RESOURCE_ATTRIBUTES`."""
    resource: Mapping[str, str | int | float | bool]
    """More resource attributes, at this destination only."""
    allow_scopes: Sequence[str]
    """Instrumentation scopes to send, `*` stands for any text. Default: all."""
    block_scopes: Sequence[str]
    """Instrumentation scopes not to send, `*` stands for any text."""
    blocked_instrumentation_scopes: Sequence[str]
    """The name that Langfuse's SDK has for `block_scopes`."""
    filter: Literal["all", "llm"] | FilterRules | SpanFilter
    """Which spans it gets: `"all"`, `"llm"` (those of LLM instrumentations), rules, or a function of the span. Default: "all"."""
    sample_ratio: float
    """Which part of the traces it gets, from 0 to 1: whole traces, by their ids. Default: 1."""
    original_parent: str
    """Attribute that keeps the id of the parent, in hex, where a span gets another parent because its own does not go to this destination."""
    privacy: PrivacyOptions
    """What may leave of content, and how large spans may be. In `destinations`, it replaces the `privacy` that stands beside them."""
    compression: Literal["gzip", "none"]
    """How bodies of 1,024 bytes or more are compressed. Default: "none", or `OTEL_EXPORTER_OTLP_[TRACES_]COMPRESSION`."""
    timeout_millis: int
    """Time limit of one request, in ms; then it is aborted. Default: 10000, or `OTEL_EXPORTER_OTLP_[TRACES_]TIMEOUT`."""
    tls: Tls
    """Certificates `{"ca": …, "cert": …, "key": …}`, PEM as text or bytes. Default: `OTEL_EXPORTER_OTLP_[TRACES_]CERTIFICATE, …CLIENT_CERTIFICATE, …CLIENT_KEY (files)`."""


class EntryOptions(TypedDict, total=False):
    """Which spans carry `gen_ai.is_entry`."""

    enabled: bool
    """Mark entries. Marks of the source are removed anyway. Default: True."""
    value: Literal["bool", "string"]
    """How the mark is written; `"string"` as Dify writes it. Default: "bool"."""
    siblings: Literal["each", "first", "common-ancestor"]
    """Several LLM segments below one span that is not LLM, such as two model calls in one HTTP request: `"each"` has its entry; `"first"`: the first one, or those that are marked; `"common-ancestor"`: the span above them is the entry of all. Default: "each"."""
    across_processes: bool
    """No entry below a remote parent that is inside an LLM segment, by `tracestate` or Langfuse's baggage: that segment has its entry. Default: True."""
    hold_millis: int
    """How long a candidate waits for its ancestors, in ms. For spans that are read from bodies, this is the window in which a parent may come in a later body; with 0, what came before and what stands in the same body decides. Default: 30000."""
    max_held: int
    """Maximum number of candidates that wait. Default: 1000."""
    max_held_bytes: int
    """Maximum size of the candidates that wait, in bytes as encoded. Default: 16777216 (16 MiB)."""
    max_spans: int
    """Maximum number of spans of live and recent traces that are remembered. Default: 50000."""


class PrivacyOptions(TypedDict, total=False):
    """What may leave of content, and how large spans may be."""

    capture_content: bool
    """Send prompts, answers, tool calls and documents. If not, a span leaves with nothing but what is known to hold no content: names, ids, numbers. Default: True."""
    capture_metadata: bool
    """Without content: send the metadata and the tags of the application all the same. Default: True."""
    capture_errors: bool
    """Without content: send the messages of the status and of exceptions, and stack traces, all the same. They may quote a prompt. Default: False."""
    mask: Sequence[MaskRule]
    """What is masked, rule by rule."""
    media: Literal["keep", "large", "describe"]
    """Media in base64: `"keep"`; `"large"`: what has 4 KiB of base64 or more is replaced by a descriptor with its type, size and hash, since one picture can make a backend refuse a batch; `"describe"`: all of it is. Default: "large"."""
    max_attribute_bytes: int | None
    """Maximum size of the text of one attribute, in bytes of UTF-8; longer text is cut. 0: no limit. Default: 1048576 (1 MiB)."""
    max_span_bytes: int | None
    """Maximum size of a span, in bytes as encoded; the content of a larger one is cut. 0: no limit. gRPC takes 4 MiB, Langfuse 3.5 MB. Default: 3145728 (3 MiB)."""


class MaskRule(TypedDict, total=False):
    """What is masked: where, what, and what replaces it."""

    keys: Sequence[str]
    """Attribute keys as they go out, `*` stands for any text, on every span. Default: all text of LLM spans except names and ids."""
    pattern: str | re.Pattern[str]
    """A regular expression. With neither a pattern nor detectors the whole value is masked."""
    detect: Sequence[Literal["email", "phone", "card", "key"]]
    """Built-in detectors."""
    replacement: str
    """What replaces a match. Default: <masked>, or the detector's name, such as <email>."""


class SpoolOptions(TypedDict, total=False):
    """Where batches that could not be delivered are kept."""

    dir: Required[str]
    """A directory of its own; processes may share it."""
    max_bytes: int
    """Maximum size of the directory, in bytes; the oldest batches are removed first. Default: 268435456 (256 MiB)."""


class GenSpanOptions(DestinationOptions, total=False):
    """One destination by its own options, or several in `destinations`."""

    destinations: Sequence[DestinationOptions]
    """Where spans go, each destination with its own options. Default: the one that the other options describe."""
    entry: EntryOptions
    """Which spans carry `gen_ai.is_entry`. Default: the marked spans of each segment, or its outermost LLM span."""
    privacy: PrivacyOptions
    """What may leave of content, and how large spans may be. Default: all content, within limits."""
    infer_provider: bool
    """Fill in the provider from the server's address or the model's name where nothing names it. Default: True."""
    mappings: Sequence[KeyMapping]
    """What keys of your own mean on spans of home-made instrumentation, in terms of the canonical fields: `[{"keys": {"my.model": "request.model"}}]`. docs/conventions.md lists the fields. Default: none."""
    inherit_session: bool
    """Copy session and user to the LLM spans that lack them, from the spans above or from baggage. Default: True."""
    max_unpacked_bytes: int
    """Maximum memory for what one OTLP body holds when it is unpacked, in bytes. A body that needs more is refused: the relay and Envoy answer 413, gRPC `RESOURCE_EXHAUSTED`; `convert` and `normalize` throw. A value that would need much more than its size, such as a list of a million empty messages, is left as it is and counted as `unread`. Default: 134217728 (128 MiB)."""
    max_idle_memory_bytes: int
    """Maximum memory of the WebAssembly module while it is idle, in bytes. Its memory never shrinks: a module that has grown past this is replaced once its queues are empty and no span has ended for `entry.hold_millis`. It begins with about 2 MiB. Default: 67108864 (64 MiB)."""
    max_keys: int
    """Maximum number of attribute keys and names of the application in the dictionary. Further ones are looked up each time, which takes longer. Default: 4096."""
    spool: SpoolOptions
    """Directory for batches that could not be delivered. They are sent later, after a restart too, to the same account. A destination whose `headers` are a function then needs a `name`, and so do several with one endpoint."""
    flush_timeout_millis: int
    """Time limit of `force_flush` and `shutdown`, in ms. Default: 30000."""
    flush_on_exit: bool
    """Shut down on SIGTERM, before the handler that was set before. The provider itself sees to an ordinary end. Construct the processor on the main thread. Default: False."""
    mask: Callable[[str, str], str]
    """Called with every text among the attributes of a span that may be content, and its key, before genspan reads it; what it returns is sent."""
    on_media: Callable[[Media], str]
    """Called with media in base64 before genspan reads the span; the text that it returns is sent in their place."""
    on_partial_success: Callable[[PartialSuccess], None]
    """Called when a backend rejects spans of a batch that it accepts, or sends a warning. Default: only the log has it."""
    meter_provider: MeterProvider
    """OpenTelemetry's `MeterProvider`: gets what `stats` counts as metrics, under the names that OpenTelemetry has for SDKs. Default: no metrics."""


PROFILES: Final = ("otel", "otel-1.41", "tencent", "tencent-cls", "langfuse", "openinference")

# The headers that requests to a backend get.
PROFILE_HEADERS: Final[dict[str, dict[str, str]]] = {
    "langfuse": {"x-langfuse-ingestion-version": "4"},
}

# The defaults that the package needs itself.
MAX_QUEUE_SIZE: Final = 8192
TIMEOUT_MILLIS: Final = 10000
FLUSH_TIMEOUT_MILLIS: Final = 30000
MAX_IDLE_MEMORY_BYTES: Final = 67108864
MAX_BYTES: Final = 268435456

# The options of each group, by their names in Python, with those in the configuration of the core.
NAMES: Final[dict[str, dict[str, str]]] = {
    "DeliveryOptions": {
        "scheduled_delay_millis": "scheduledDelayMillis",
        "max_export_batch_size": "maxExportBatchSize",
        "max_export_batch_bytes": "maxExportBatchBytes",
        "max_queue_size": "maxQueueSize",
        "max_queue_bytes": "maxQueueBytes",
        "drop_policy": "dropPolicy",
        "export_timeout_millis": "exportTimeoutMillis",
        "concurrency_limit": "concurrencyLimit",
        "retry": "retry",
        "breaker": "breaker",
    },
    "RetryOptions": {
        "initial_millis": "initialMillis",
        "max_millis": "maxMillis",
    },
    "BreakerOptions": {
        "failures": "failures",
        "open_millis": "openMillis",
    },
    "DestinationOptions": {
        "name": "name",
        "endpoint": "endpoint",
        "protocol": "protocol",
        "headers": "headers",
        "profile": "profile",
        "keep": "keep",
        "service_name": "serviceName",
        "token": "token",
        "region": "region",
        "topic_id": "topicId",
        "secret_id": "secretId",
        "secret_key": "secretKey",
        "host_name": "hostName",
        "resource": "resource",
        "allow_scopes": "allowScopes",
        "block_scopes": "blockScopes",
        "blocked_instrumentation_scopes": "blockedInstrumentationScopes",
        "filter": "filter",
        "sample_ratio": "sampleRatio",
        "original_parent": "originalParent",
        "privacy": "privacy",
        "compression": "compression",
        "timeout_millis": "timeoutMillis",
        "tls": "tls",
    },
    "EntryOptions": {
        "enabled": "enabled",
        "value": "value",
        "siblings": "siblings",
        "across_processes": "acrossProcesses",
        "hold_millis": "holdMillis",
        "max_held": "maxHeld",
        "max_held_bytes": "maxHeldBytes",
        "max_spans": "maxSpans",
    },
    "PrivacyOptions": {
        "capture_content": "captureContent",
        "capture_metadata": "captureMetadata",
        "capture_errors": "captureErrors",
        "mask": "mask",
        "media": "media",
        "max_attribute_bytes": "maxAttributeBytes",
        "max_span_bytes": "maxSpanBytes",
    },
    "MaskRule": {
        "keys": "keys",
        "pattern": "pattern",
        "detect": "detect",
        "replacement": "replacement",
    },
    "SpoolOptions": {
        "dir": "dir",
        "max_bytes": "maxBytes",
    },
    "GenSpanOptions": {
        "destinations": "destinations",
        "entry": "entry",
        "privacy": "privacy",
        "infer_provider": "inferProvider",
        "mappings": "mappings",
        "inherit_session": "inheritSession",
        "max_unpacked_bytes": "maxUnpackedBytes",
        "max_idle_memory_bytes": "maxIdleMemoryBytes",
        "max_keys": "maxKeys",
        "spool": "spool",
        "flush_timeout_millis": "flushTimeoutMillis",
        "flush_on_exit": "flushOnExit",
        "mask": "mask",
        "on_media": "onMedia",
        "on_partial_success": "onPartialSuccess",
        "meter_provider": "meterProvider",
    },
}

# The group of options that an option holds.
GROUPS: Final = {
    "retry": "RetryOptions",
    "breaker": "BreakerOptions",
    "privacy": "PrivacyOptions",
    "mask": "MaskRule",
    "destinations": "DestinationOptions",
    "entry": "EntryOptions",
    "spool": "SpoolOptions",
}
