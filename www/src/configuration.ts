// The configuration that makes a service send what the page shows, for each of the three programs that contain genspan.
import { ENDPOINTS, type Profile } from "./profiles.js";

export const PLACES = ["Node", "Worker", "Envoy"] as const;
export type Place = (typeof PLACES)[number];

/** A valid service name for Tencent; any other name is left for the reader to fill in. */
const TENCENT_NAME = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export function configuration(place: Place, profile: Profile, service: string): string {
  const isRefused = service === "" || (profile === "tencent" && !TENCENT_NAME.test(service));
  const name = JSON.stringify(isRefused ? "my-service" : service);
  if (place === "Envoy") return envoy(profile, name);
  const env = place === "Node" ? "process.env" : "env";
  const options = [
    `profile: ${JSON.stringify(profile)},`,
    ...(profile === "tencent-cls"
      ? [
          'region: "ap-guangzhou",',
          `topicId: ${env}.CLS_TOPIC_ID,`,
          `secretId: ${env}.TENCENTCLOUD_SECRET_ID,`,
          `secretKey: ${env}.TENCENTCLOUD_SECRET_KEY,`,
        ]
      : [`endpoint: ${JSON.stringify(ENDPOINTS[profile])},`]),
    `serviceName: ${name},`,
    ...(profile === "tencent" ? [`token: ${env}.TENCENT_APM_TOKEN,`] : []),
    ...(profile === "langfuse"
      ? [
          `headers: { authorization: \`Basic \${btoa(\`\${${env}.LANGFUSE_PUBLIC_KEY}:\${${env}.LANGFUSE_SECRET_KEY}\`)}\` },`,
        ]
      : []),
  ];
  const indented = (spaces: number) => options.map((line) => " ".repeat(spaces) + line).join("\n");
  if (place === "Node") {
    return `import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { GenSpanProcessor } from "genspan";

const genspan = new GenSpanProcessor({
${indented(2)}
});
new NodeTracerProvider({ spanProcessors: [genspan] }).register();
`;
  }
  return `import { trace } from "genspan/edge";

let options;

export default {
  fetch(request, env, ctx) {
    options ??= {
${indented(6)}
    };
    return trace(request, ctx, env, options).span("GET /", {}, async (root) => {
      // root.span("chat", { "gen_ai.operation.name": "chat" }, async (span) => …)
      return new Response("ok");
    });
  },
};
`;
}

function envoy(profile: Profile, name: string): string {
  const token = profile === "tencent" ? ', "token": "<token>"' : "";
  const topic =
    profile === "tencent-cls"
      ? ', "region": "ap-guangzhou", "topicId": "your-topic", "secretId": "your-id", "secretKey": "your-key"'
      : "";
  const headers = profile === "langfuse" ? ', "headers": { "authorization": "Basic <base64 of public:secret>" }' : "";
  return `http_filters:
  - name: genspan
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
      config:
        name: genspan
        root_id: genspan
        failure_policy: FAIL_RELOAD
        vm_config:
          vm_id: genspan
          runtime: envoy.wasm.runtime.v8
          code: { local: { filename: genspan.wasm } }
        configuration:
          "@type": type.googleapis.com/google.protobuf.StringValue
          value: |
            { "profile": ${JSON.stringify(profile)}, "serviceName": ${name}${token}${topic}${headers} }
  - name: envoy.filters.http.router
    typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
`;
}
