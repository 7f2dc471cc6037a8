// The C interface of genspan. docs/embedding.md describes how to use it.
// Made from abi/src by cbindgen: do not edit.

#ifndef GENSPAN_H
#define GENSPAN_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

// The version of this interface. A change that a host would notice changes it.
#define GS_ABI_VERSION 1

// Flag of `gs_open`: the host passes OTLP bodies of other processes, with the addresses that they came from. A token or a host name that a
// profile needs may then come from the senders instead of the configuration.
#define GS_RELAY 1

// Kind of a record in `gs_records`: a span started.
#define GS_START 0

// Kind of a record in `gs_records`: a span ended whose start was passed before, if the host knew it.
#define GS_END 1

// Kind of a record in `gs_records`: a span ended, and its start is never passed.
#define GS_ENDED 2

// Why `gs_ingest` or `gs_rewrite` refused a whole body, in `kind`: it is malformed.
#define GS_MALFORMED 1

// The same: there is no room for it now. A retry of the same body may succeed.
#define GS_BUSY 2

// The same: it exceeds a limit. A retry of the same body never succeeds, smaller ones with the same spans may.
#define GS_LIMIT 3

// The return value of a call that refused its input.
#define GS_REFUSED -1

// The return value of a call on a broken handle.
#define GS_BROKEN -2

// Converts OTLP bodies, one in, one out.
typedef struct GsConverter GsConverter;

// A pipeline: takes spans, and returns requests for the destinations of its configuration.
typedef struct GsPipeline GsPipeline;

// What a call returns besides its number. The host makes it once with `gs_result_new` and passes it to every call. A call fills it anew:
// both texts stay valid until the next call with the same result. One thread at a time may use it.
typedef struct {
  // The bytes that the call returns; never null.
  const uint8_t *ptr;
  // Their number.
  size_t len;
  // A text in UTF-8 for people: why a call failed, or why a part of its input was refused. Never null, and not terminated by a zero.
  const uint8_t *message;
  // Its length in bytes; 0 if there is none.
  size_t message_len;
  // The id of a request or the number of a stored copy.
  uint32_t id;
  // A number of spans.
  uint32_t spans;
  // The index of a destination in the configuration.
  uint32_t destination;
  // Why a whole body was refused: `GS_MALFORMED`, `GS_BUSY` or `GS_LIMIT`.
  uint32_t kind;
  // When `gs_poll` has to be called again, in ms since 1970, if nothing else happens before; infinity: never. Set by every call that takes
  // a pipeline.
  double wake;
} GsResult;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Returns the version of this interface, `GS_ABI_VERSION` of the header that belongs to the library. A host compares them first.
uint32_t gs_abi_version(void);

// Returns memory for a host that has none in the address space of the library, as around a WebAssembly module; null if there is none.
uint8_t *gs_alloc(size_t len);

// Frees memory of `gs_alloc`; `len` is the length that it was allocated with.
void gs_free(uint8_t *memory, size_t len);

// Makes a result, which every other call fills.
GsResult *gs_result_new(void);

// Frees a result.
void gs_result_free(GsResult *result);

// Puts the version of genspan, such as `0.1.0`, into the bytes of the result. Returns 0.
int32_t gs_version(GsResult *result);

// Opens a pipeline with a configuration in JSON (camelCase; pkg/README.md lists the options). `seed_lo` and `seed_hi` are random: who
// sends spans must not know them. Returns null if the configuration is refused; the message names the option, the problem and a fix.
GsPipeline *gs_open(const uint8_t *json,
                    size_t len,
                    uint32_t flags,
                    uint32_t seed_lo,
                    uint32_t seed_hi,
                    GsResult *result);

// Frees a pipeline, with everything that it holds. Call `gs_close` first to learn what has to be stored.
void gs_drop(GsPipeline *pipeline);

// Returns the number that stands for an attribute key, a span name or an event name in records; 0: the dictionary is full, so write the text out.
int32_t gs_intern(const GsPipeline *pipeline,
                  const uint8_t *text,
                  size_t len,
                  GsResult *result);

// Returns the number that stands for a scope in records, from 1. `record` is a `scope` record.
int32_t gs_scope(const GsPipeline *pipeline, const uint8_t *record, size_t len, GsResult *result);

// Returns the number that stands for a resource in records, from 1. `record` is a `resource` record.
int32_t gs_resource(const GsPipeline *pipeline, const uint8_t *record, size_t len, GsResult *result);

// Takes records of spans that started and ended, one after the other, each as: its kind (one byte: `GS_START`, `GS_END` or `GS_ENDED`), the
// destinations that the host itself keeps it from (a set of bits, 4 bytes), its length (4 bytes, little-endian) and a `start` or `span` record.
// Spans of `GS_ENDED` are taken last, and each is known to all of them before the first is decided.
//
// Returns how many ended spans were taken. `id` is the number of records that have to be passed again after their scope and resource were
// described anew, because genspan has forgotten those; the bytes are their indexes in the call, 4 bytes each. `spans` is the number of records
// that cannot be read, and the message is the reason for the first. Refused as a whole is only input that does not consist of records.
int32_t gs_records(const GsPipeline *pipeline,
                   const uint8_t *records,
                   size_t len,
                   double now,
                   GsResult *result);

// Takes the spans of an OTLP body, protobuf or JSON, that follows the `peer_len` bytes of its sender's address (0: unknown). Returns their
// number; `spans` is the number of refused ones, and the message is the reason. If the whole body is refused, `kind` is `GS_MALFORMED`, `GS_BUSY` or
// `GS_LIMIT`.
int32_t gs_ingest(const GsPipeline *pipeline,
                  const uint8_t *input,
                  size_t len,
                  size_t peer_len,
                  double now,
                  GsResult *result);

// Takes a body as `gs_ingest` does, and puts what goes to the first destination in its place into the bytes of the result: for a proxy that
// forwards the request itself. Returns 1, or 0 if the body goes out as it came. The other destinations are served by `gs_poll`.
int32_t gs_rewrite(const GsPipeline *pipeline,
                   const uint8_t *input,
                   size_t len,
                   size_t peer_len,
                   double now,
                   GsResult *result);

// Puts the name of a service that sends no token although a destination requires one into the bytes of the result, and returns 1; 0 if there is none.
// Each is returned once.
int32_t gs_tokenless(const GsPipeline *pipeline,
                     GsResult *result);

// Returns 1 if a request is ready to be sent, 2 if one is to be stored in the spool, 0 if there is none until `wake`. The bytes of the result are its
// body, with `id`, `spans` and `destination`. A request to send is answered by `gs_response` or `gs_failure`, one to store by `gs_stored`.
int32_t gs_poll(const GsPipeline *pipeline,
                double now,
                GsResult *result);

// Passes the answer to a request. `status` is that of HTTP or, below 100, of gRPC; `retry_after` is in ms, negative for none; the body is that of
// the response or, for gRPC, its `grpc-status-details-bin`. Returns 1 if the backend rejected `spans` of the request with the message, else 0.
int32_t gs_response(const GsPipeline *pipeline,
                    uint32_t id,
                    uint32_t status,
                    double retry_after,
                    const uint8_t *body,
                    size_t len,
                    double now,
                    GsResult *result);

// Reports that a request got no answer. Returns 0.
int32_t gs_failure(const GsPipeline *pipeline, uint32_t id, double now, GsResult *result);

// Reports whether a request was stored in the spool (`ok` is not 0). Returns 0.
int32_t gs_stored(const GsPipeline *pipeline, uint32_t id, int32_t ok, double now, GsResult *result);

// Returns 1 if the destination would send a request of the spool now, else 0.
int32_t gs_wants(const GsPipeline *pipeline, uint32_t destination, double now, GsResult *result);

// Passes a request of the spool. `copy` is the host's number for it, not 0. Returns 0.
int32_t gs_restore(const GsPipeline *pipeline,
                   uint32_t destination,
                   uint32_t copy,
                   uint32_t spans,
                   const uint8_t *body,
                   size_t len,
                   GsResult *result);

// Returns 1 if the host may delete the copy `id` of the spool, 2 if it has to pass it again later, 0 if there is none. Call it until it returns 0.
int32_t gs_released(const GsPipeline *pipeline,
                    GsResult *result);

// Makes everything ready to send, also what waits for its ancestors. Returns a number for `gs_settled`, from 1.
int32_t gs_flush(const GsPipeline *pipeline, double now, GsResult *result);

// Returns 1 if every span of a flush was answered, stored, or given up and counted, else 0.
int32_t gs_settled(const GsPipeline *pipeline, int32_t flush, GsResult *result);

// Gives up what is not delivered: `gs_poll` returns the requests to store, the rest is dropped and counted. Returns 0.
int32_t gs_close(const GsPipeline *pipeline, double now, GsResult *result);

// Returns 1 if a span belongs to an LLM segment, else 0. `ids` are the 16 bytes of the trace id and the 8 of the span id. The bytes of the result are
// the id of the LLM span above it, zeros if that is unknown.
int32_t gs_segment(const GsPipeline *pipeline,
                   const uint8_t *ids,
                   size_t len,
                   GsResult *result);

// Puts the counters into the bytes of the result, as a JSON object. Returns 0.
int32_t gs_stats(const GsPipeline *pipeline, GsResult *result);

// Puts the attribute keys whose values a `start` record has to contain, if the span starts with them, into the bytes of the result, as a JSON list.
// Returns 0.
int32_t gs_wanted(const GsPipeline *pipeline,
                  GsResult *result);

// Returns 1 if the values of an attribute key are names, ids or numbers, which masking leaves alone, else 0. For hosts whose own functions mask
// values before they are passed.
int32_t gs_is_name(const GsPipeline *pipeline,
                   const uint8_t *key,
                   size_t len,
                   GsResult *result);

// Puts what the host has to do itself into the bytes of the result, as a JSON object with the defaults filled in: `destinations` (a list, each with
// `name`, `endpoint`, `protocol`, `headers`, `compression`, `timeoutMillis` and `maxQueueSize`), `flushTimeoutMillis`, `flushOnExit`, and `spool` (`dir` and
// `maxBytes`, or null). The headers are those of the configuration, which are secrets, and those that a profile needs. Returns 0.
int32_t gs_settings(const GsPipeline *pipeline,
                    GsResult *result);

// Makes a converter with options in JSON: `from` and `to` (`"auto"`, `"protobuf"` or `"json"`), and those options in pkg/README.md that say what goes out
// (`profile`, `keep`, `serviceName`, `token`, `hostName`, `resource`, `entry`, `privacy`, `inferProvider`, `inheritSession`, `mappings`, `maxUnpackedBytes`).
// Seeds and return value are as for `gs_open`.
GsConverter *gs_converter(const uint8_t *json,
                          size_t len,
                          uint32_t seed_lo,
                          uint32_t seed_hi,
                          GsResult *result);

// Frees a converter.
void gs_converter_drop(GsConverter *converter);

// Converts an OTLP body; the bytes of the result are the new one. Returns 1 if `spans` of it are left out for the reason in the message, else 0.
int32_t gs_convert(const GsConverter *converter,
                   const uint8_t *body,
                   size_t len,
                   GsResult *result);

// Explains what `gs_convert` makes of a body: the bytes of the result are a JSON list with an object for each span. Returns as `gs_convert` does.
int32_t gs_explain(const GsConverter *converter,
                   const uint8_t *body,
                   size_t len,
                   GsResult *result);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* GENSPAN_H */
