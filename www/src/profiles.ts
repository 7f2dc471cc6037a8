// The profiles, made from the list of the core by `cargo run --example options`. A test compares the two.

/** The endpoint of each profile in the configuration to copy. */
export const ENDPOINTS = {
  otel: "http://localhost:4318/v1/traces",
  "otel-1.41": "http://localhost:4318/v1/traces",
  tencent: "https://your-apm-endpoint:55681/v1/traces",
  "tencent-cls": "https://ap-guangzhou.cls.tencentcs.com/v1/traces",
  langfuse: "https://cloud.langfuse.com/api/public/otel/v1/traces",
  openinference: "http://localhost:6006/v1/traces",
} as const;

export type Profile = keyof typeof ENDPOINTS;
export const PROFILES = Object.keys(ENDPOINTS) as Profile[];
