"""Reads an OTLP ExportTraceServiceRequest with opentelemetry-proto and prints it as JSON, in the shape of `decode` in
demo/receiver.mjs: camelCase names, ids in hex, 64-bit integers as text, defaults filled in. It judges nothing."""

import base64
import json
import sys

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

BYTES = {"traceId", "spanId", "parentSpanId", "bytesValue"}

# Fields of OTLP versions that the other decoder does not know yet; left out while they hold their default.
NEWER = {"keyStrindex": 0}


def ids_in_hex(node):
    """protobuf's JSON has bytes in base64."""
    if isinstance(node, list):
        return [ids_in_hex(item) for item in node]
    if isinstance(node, dict):
        return {
            key: base64.b64decode(value).hex() if key in BYTES else ids_in_hex(value)
            for key, value in node.items()
            if key not in NEWER or value != NEWER[key]
        }
    return node


def main(path):
    with open(path, "rb") as file:
        request = ExportTraceServiceRequest.FromString(file.read())
    message = MessageToDict(request, always_print_fields_with_no_presence=True, use_integers_for_enums=True)
    json.dump(ids_in_hex(message), sys.stdout, ensure_ascii=True)


if __name__ == "__main__":
    main(sys.argv[1])
