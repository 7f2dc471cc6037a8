// Parses messages of the GenAI conventions (gen_ai.input.messages and the related attributes, JSON in parts) for rendering.
import type { Message, Part } from "../protocol.js";

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value, null, 2);

export function messagesOf(json: string | undefined, role: string): Message[] {
  const list = parse(json);
  if (list === undefined) return json === undefined ? [] : [{ role, parts: [{ type: "text", text: json }] }];
  return list.map((message) => {
    if (!isObject(message)) return { role, parts: [{ type: "text", text: text(message) }] };
    const finish = message.finish_reason;
    return {
      role: typeof message.role === "string" ? message.role : role,
      ...(typeof finish === "string" && finish !== "" ? { finish } : {}),
      parts: Array.isArray(message.parts)
        ? message.parts.map(part)
        : [{ type: "text", text: text(message.content ?? message) }],
    };
  });
}

export function partsOf(json: string | undefined): Part[] {
  const list = parse(json);
  if (list === undefined) return json === undefined ? [] : [{ type: "text", text: json }];
  return list.map(part);
}

function parse(json: string | undefined): unknown[] | undefined {
  try {
    const list: unknown = JSON.parse(json ?? "");
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
}

function part(value: unknown): Part {
  if (!isObject(value)) return { type: "text", text: text(value) };
  const { type, content, id, name } = value;
  switch (type) {
    case "text":
    case "reasoning":
      return { type, text: text(content) };
    case "tool_call":
      return { type: "call", id: text(id), name: text(name), text: text(value.arguments) };
    case "tool_call_response":
      return { type: "result", id: text(id), text: text(value.response ?? value.result) };
    case "blob":
    case "file":
    case "uri": {
      const size = typeof content === "string" ? Math.floor((content.replace(/=+$/, "").length * 3) / 4) : undefined;
      const what = text(value.modality) || type;
      return { type: "media", what, mime: text(value.mime_type), size, name: text(value.uri ?? value.file_id) };
    }
    default:
      return { type: "other", name: text(type), text: text(content ?? value) };
  }
}
