"""Reads OTLP bodies with the code of MLflow and of Arize Phoenix, and prints what each made of every span. It judges nothing.

Standard input: a list of {"name", "path"}; standard output: {reader: {name: {id of the span: reading}}}, a reading being {type, model, input_tokens,
output_tokens, cache_read, cache_write, input, output, session, user}, without what the reader has not found. With --schema it is {name: [fault]}: each JSON
attribute that the published schemas of OpenTelemetry GenAI refuse, as Phoenix has generated its models from them; with --strict also a message of an
answer without its reason where the span has none.
"""

import json
import logging
import sys
import types
from importlib.util import find_spec

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def load_phoenix():
    """Phoenix's package starts its server's libraries when it is imported. Of what reads a span only these modules are needed, and of JSON nothing."""
    folder = find_spec("phoenix").submodule_search_locations[0]
    for name, path in [("phoenix", folder), ("phoenix.trace", f"{folder}/trace"), ("phoenix.utilities", f"{folder}/utilities")]:
        module = types.ModuleType(name)
        module.__path__ = [path]
        sys.modules[name] = module
    unused = types.ModuleType("phoenix.utilities.json")
    unused.jsonify = None
    sys.modules[unused.__name__] = unused


def present(reading):
    return {key: value for key, value in reading.items() if value not in (None, "", [], {})}


def bodies(files):
    for file in files:
        with open(file["path"], "rb") as body:
            request = ExportTraceServiceRequest.FromString(body.read())
        yield file["name"], [
            (resource, span) for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans
        ]


def mlflow_reader():
    from mlflow.entities.span import Span
    from mlflow.tracing.otel.translation import translate_span_when_storing

    logging.disable(logging.CRITICAL)

    def decoded(value):
        """The store has values as JSON, and text of a translator as it came."""
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            return value

    def read(resource, span):
        attributes = translate_span_when_storing(Span.from_otel_proto(span, resource=resource.resource))["attributes"]
        of = lambda key: decoded(attributes.get(key))
        usage = of("mlflow.chat.tokenUsage") or {}
        return {
            "type": of("mlflow.spanType"),
            "model": of("mlflow.llm.model"),
            "input_tokens": usage.get("input_tokens"),
            "output_tokens": usage.get("output_tokens"),
            "cache_read": usage.get("cache_read_input_tokens"),
            "cache_write": usage.get("cache_creation_input_tokens"),
            "input": of("mlflow.spanInputs"),
            "output": of("mlflow.spanOutputs"),
            "session": of("session.id"),
            "user": of("user.id"),
        }

    return read


def phoenix_reader():
    from phoenix.trace.attributes import get_attribute_value
    from phoenix.trace.otel import decode_otlp_span

    def read(_, span):
        decoded = decode_otlp_span(span)
        of = lambda *keys: next((v for v in (get_attribute_value(decoded.attributes, key) for key in keys) if v is not None), None)
        return {
            "type": decoded.span_kind.value,
            "model": of("llm.model_name", "embedding.model_name"),
            "input_tokens": of("llm.token_count.prompt"),
            "output_tokens": of("llm.token_count.completion"),
            "cache_read": of("llm.token_count.prompt_details.cache_read"),
            "cache_write": of("llm.token_count.prompt_details.cache_write"),
            "input": [v for v in map(of, ["llm.input_messages", "input.value", "tool.parameters", "embedding.embeddings"]) if v is not None],
            "output": [v for v in map(of, ["llm.output_messages", "output.value", "retrieval.documents"]) if v is not None],
            "session": of("session.id"),
            "user": of("user.id"),
        }

    return read


def schema_faults(span, strict):
    """A part of a type that the schema knows has to be valid as one of that type: the generic part, which takes anything, is for other types."""
    from phoenix.trace.gen_ai.__generated__ import models
    from pydantic import ValidationError

    kinds = {
        "text": models.TextPart,
        "tool_call": models.ToolCallRequestPart,
        "tool_call_response": models.ToolCallResponsePart,
        "server_tool_call": models.ServerToolCallPart,
        "server_tool_call_response": models.ServerToolCallResponsePart,
        "blob": models.BlobPart,
        "file": models.FilePart,
        "uri": models.UriPart,
        "reasoning": models.ReasoningPart,
    }
    schemas = {
        "gen_ai.input.messages": models.InputMessages,
        "gen_ai.output.messages": models.OutputMessages,
        "gen_ai.system_instructions": models.SystemInstructions,
        "gen_ai.tool.definitions": models.ToolDefinitions,
        "gen_ai.retrieval.documents": models.RetrievalDocuments,
    }
    has_reasons = any(attribute.key == "gen_ai.response.finish_reasons" for attribute in span.attributes)
    for attribute in span.attributes:
        schema = schemas.get(attribute.key)
        if schema is None:
            continue
        where = f"{span.name}: {attribute.key}"
        try:
            items = json.loads(attribute.value.string_value)
            for item in items:
                # What the source does not say is not made up: an id and a score of a document and, in 0.1.0, the reason why a message ended.
                if attribute.key == "gen_ai.retrieval.documents":
                    item.update({"id": "", "score": 0} | item)
                elif attribute.key == "gen_ai.output.messages" and not strict and not has_reasons:
                    item.update({"finish_reason": ""} | item)
            schema.model_validate_json(json.dumps(items))
        except (ValidationError, ValueError) as error:
            yield f"{where}: {error}"
            continue
        parts = items if attribute.key == "gen_ai.system_instructions" else [part for item in items for part in item.get("parts", [])]
        for part in parts:
            try:
                kinds.get(part["type"], models.GenericPart).model_validate(part)
            except ValidationError as error:
                yield f"{where}: {error}"
        if attribute.key == "gen_ai.tool.definitions":
            for tool in items:
                if tool["type"] == "function":
                    try:
                        models.FunctionToolDefinition.model_validate(tool)
                    except ValidationError as error:
                        yield f"{where}: {error}"


def main():
    files = json.load(sys.stdin)
    load_phoenix()
    if "--schema" in sys.argv:
        strict = "--strict" in sys.argv
        found = {name: [fault for _, span in spans for fault in schema_faults(span, strict)] for name, spans in bodies(files)}
    else:
        readers = {"mlflow": mlflow_reader(), "phoenix": phoenix_reader()}
        found = {reader: {} for reader in readers}
        for name, spans in bodies(files):
            for reader, read in readers.items():
                found[reader][name] = {span.span_id.hex(): present(read(resource, span)) for resource, span in spans}
    json.dump(found, sys.stdout, default=str)


if __name__ == "__main__":
    main()
