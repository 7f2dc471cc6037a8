// A host in C: converts a body, and takes a body whose spans it delivers. Built and run by tests/abi/abi.test.mjs: example BODY.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "genspan.h"

static void fail(const char *call, const GsResult *result) {
  fprintf(stderr, "%s: %.*s\n", call, (int)result->message_len, (const char *)result->message);
  exit(1);
}

// Stands for the HTTP client of the host.
static uint32_t post(const uint8_t *body, size_t len) {
  (void)body;
  printf("posted %zu bytes\n", len);
  return 200;
}

int main(int argc, char **argv) {
  if (gs_abi_version() != GS_ABI_VERSION || argc != 2) return 2;
  FILE *file = fopen(argv[1], "rb");
  if (!file) return 2;
  static uint8_t body[1 << 20];
  size_t len = fread(body, 1, sizeof body, file);
  fclose(file);

  // One result for each thread that calls.
  GsResult *result = gs_result_new();

  // A body in, a body out. In a real host the seeds are random.
  const char *options = "{\"profile\":\"otel\",\"to\":\"json\"}";
  GsConverter *converter = gs_converter((const uint8_t *)options, strlen(options), 1, 2, result);
  if (!converter) fail("gs_converter", result);
  if (gs_convert(converter, body, len, result) < 0) fail("gs_convert", result);
  printf("converted to %.*s…\n", 16, (const char *)result->ptr);
  gs_converter_drop(converter);

  // Spans in, requests out. Errors are texts.
  const char *wrong = "{\"profile\":\"tencent\"}";
  if (gs_open((const uint8_t *)wrong, strlen(wrong), 0, 1, 2, result)) return 1;
  printf("refused: %.*s\n", (int)result->message_len, (const char *)result->message);
  const char *config = "{\"profile\":\"tencent\",\"token\":\"secret\",\"hostName\":\"10.0.0.8\"}";
  GsPipeline *pipeline = gs_open((const uint8_t *)config, strlen(config), 0, 1, 2, result);
  if (!pipeline) fail("gs_open", result);
  double now = 1800000000000.0;
  int32_t spans = gs_ingest(pipeline, body, len, 0, now, result);
  if (spans < 0) fail("gs_ingest", result);
  printf("took %d spans\n", spans);
  int32_t flush = gs_flush(pipeline, now, result);
  while (gs_poll(pipeline, now, result) == 1) {
    uint32_t id = result->id, status = post(result->ptr, result->len);
    if (gs_response(pipeline, id, status, -1, NULL, 0, now, result) < 0) fail("gs_response", result);
  }
  printf("settled: %d\n", gs_settled(pipeline, flush, result));
  if (gs_stats(pipeline, result) < 0) fail("gs_stats", result);
  printf("%.*s\n", (int)result->len, (const char *)result->ptr);
  gs_drop(pipeline);
  gs_result_free(result);
  return 0;
}
