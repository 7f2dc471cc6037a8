// Realistic LLM spans as real SDK Span instances. Deterministic.
// makeSpans({sdk:'old1'|'old2'|'peers'|'peers3', load:'a'|'b'|'c', lang:'en'|'mix'|'cjk', n}) -> Span[]
// biome-ignore-all lint: kept as the measurements were made with it
// biome-ignore-all format: kept as the measurements were made with it
// biome-ignore-all assist: kept as the measurements were made with it
import { createRequire } from 'node:module';
import path from 'node:path';
// ROOT: the folder that holds one folder per SDK (old2: 2.2, peers: newest 2.x), each with node_modules
export const ROOT = import.meta.dirname;
export const req = sdk => createRequire(path.join(ROOT, sdk, 'x.js'));

let seed = 12345;
const rnd = () => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) / 4294967296);
const pick = a => a[(rnd() * a.length) | 0];
const EN = 'the customer asked whether an order placed yesterday can still be changed before shipping and the agent should check status refund policy address payment method delivery window then answer politely with a short summary and next steps for support team'.split(' ');
const CJK = '我们需要确认客户的订单状态然后回答他们的问题请检查退款政策与付款方式以及送货地址日本語のテキストも含まれています注文を確認してください東京大阪配送状況의견주문확인'.split('');
function textEn(bytes) { let s = ''; while (s.length < bytes) s += pick(EN) + (rnd() < 0.08 ? '. ' : ' '); return s.slice(0, bytes); }
function textMix(bytes) { let s = ''; let b = 0; while (b < bytes) { const w = pick(EN); s += w; b += w.length; const r = rnd(); if (r < 0.03) { s += '\u2019s '; b += 5; } else if (r < 0.05) { s += ' \u2014 '; b += 5; } else if (r < 0.055) { s += ' \u{1F600} '; b += 6; } else { s += ' '; b++; } } return s; }
function textCjk(bytes) { let s = ''; let b = 0; while (b < bytes) { if (rnd() < 0.05) { s += '，'; } else s += pick(CJK); b += 3; } return s; }
const TEXT = { en: textEn, mix: textMix, cjk: textCjk };
const utf8 = s => Buffer.byteLength(s);
// JSON chat messages with about `bytes` UTF-8 bytes; returned flat through JSON.parse/stringify (flat string)
function messages(bytes, lang, output) {
  const t = TEXT[lang]; const turns = output ? 1 : Math.max(2, Math.min(24, Math.round(bytes / 2500)));
  const per = Math.max(40, Math.floor(bytes / turns) - 70);
  const m = [];
  for (let i = 0; i < turns; i++) m.push({ role: output ? 'assistant' : i === 0 ? 'system' : i % 2 ? 'user' : 'assistant', parts: [{ type: 'text', content: t(per) + (i % 3 === 1 ? '\n\n' : '') }] });
  return JSON.stringify(m);
}
const hex = n => { let s = ''; for (let i = 0; i < n; i++) s += '0123456789abcdef'[(rnd() * 16) | 0]; return s; };
export function attrsFor(load, lang, i) {
  const models = ['gpt-4o-mini-2024-07-18', 'claude-sonnet-4-5-20250929', 'gemini-2.5-flash'];
  if (load === 'a') {
    return { // 12 attributes, ~1 KB
      'gen_ai.operation.name': 'execute_tool', 'gen_ai.provider.name': 'openai', 'gen_ai.tool.name': pick(['search_orders', 'get_weather', 'lookup_customer']),
      'gen_ai.tool.call.id': 'call_' + hex(24), 'gen_ai.conversation.id': 'conv_' + hex(16), 'session.id': 'sess_' + (i % 16), 'user.id': 'user_' + (i % 40),
      'gen_ai.usage.input_tokens': (rnd() * 4000) | 0, 'gen_ai.usage.output_tokens': (rnd() * 900) | 0, 'gen_ai.request.temperature': 0.7,
      'gen_ai.tool.call.arguments': JSON.stringify({ query: TEXT[lang](150), limit: 10 }), 'gen_ai.tool.call.result': JSON.stringify({ rows: [{ id: i, text: TEXT[lang](330) }] }),
    };
  }
  const total = load === 'b' ? 8192 : 65536; // UTF-8 bytes of messages a span, input + output
  const out = load === 'b' ? 2048 : 6144;
  return {
    'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': pick(models), 'gen_ai.response.model': pick(models), 'gen_ai.response.id': 'chatcmpl-' + hex(24),
    'gen_ai.request.temperature': 0.7, 'gen_ai.request.top_p': 1, 'gen_ai.request.max_tokens': 1024, 'gen_ai.usage.input_tokens': (rnd() * 4000) | 0, 'gen_ai.usage.output_tokens': (rnd() * 900) | 0,
    'gen_ai.response.finish_reasons': ['stop'], 'gen_ai.conversation.id': 'conv_' + hex(16), 'session.id': 'sess_' + (i % 16), 'user.id': 'user_' + (i % 40),
    'ai.response.msToFirstChunk': rnd() * 900, 'ai.response.avgOutputTokensPerSecond': rnd() * 90, 'server.address': 'api.example.invalid', 'server.port': 443,
    'gen_ai.input.messages': messages(total - out, lang, false), 'gen_ai.output.messages': messages(out, lang, true),
  };
}
export function makeSpans({ sdk = 'peers', load = 'a', lang = 'en', n = 512 } = {}) {
  seed = 12345;
  const r = req(sdk); const done = [];
  const proc = { onStart() {}, onEnd(s) { done.push(s); }, forceFlush() { return Promise.resolve(); }, shutdown() { return Promise.resolve(); } };
  const api = r('@opentelemetry/api'); const res = r('@opentelemetry/resources');
  const ra = { 'service.name': 'shop-assistant', 'service.version': '1.4.2', 'deployment.environment.name': 'production', 'telemetry.sdk.language': 'nodejs', 'telemetry.sdk.name': 'opentelemetry', 'telemetry.sdk.version': '2.12.1' };
  const resource = res.resourceFromAttributes ? res.resourceFromAttributes(ra) : new res.Resource(ra);
  let prov;
  if (sdk === 'peers3') { const { TracerProvider } = r('@opentelemetry/sdk-trace'); prov = new TracerProvider({ resource, spanProcessors: [proc] }); }
  else { const { BasicTracerProvider } = r('@opentelemetry/sdk-trace-base'); prov = new BasicTracerProvider({ resource, spanProcessors: [proc] }); }
  const tracer = prov.getTracer('ai', '5.0.12'); const tracer2 = prov.getTracer('@openinference/instrumentation-langchain', '3.1.0');
  let root = null, rootCtx = null;
  for (let i = 0; i < n; i++) {
    const first = i % 16 === 0; // traces of 16 spans
    if (first) { root = null; rootCtx = api.ROOT_CONTEXT; }
    const tr = i % 4 === 3 ? tracer2 : tracer;
    const s = tr.startSpan(load === 'a' ? 'execute_tool search_orders' : 'chat gpt-4o-mini', { kind: load === 'a' ? 0 : 2 }, rootCtx);
    s.setAttributes(attrsFor(load, lang, i));
    if (load !== 'a' && i % 8 === 0) s.addEvent('gen_ai.first_token', { 'gen_ai.latency': 0.123 });
    s.setStatus({ code: 1 });
    if (first) { root = s; rootCtx = api.trace.setSpan(api.ROOT_CONTEXT, s); }
    s.end();
  }
  return done;
}
export function payloadBytes(spans) { let b = 0; for (const s of spans) for (const k in s.attributes) { b += utf8(k); const v = s.attributes[k]; b += typeof v === 'string' ? utf8(v) : 8; } return b; }
export const med = a => a.slice().sort((x, y) => x - y)[a.length >> 1];
// time fn in warm loops: `reps` runs of >= secs seconds; returns per-iteration ns (median, min)
export function bench(fn, { secs = 3, reps = 5, warm = 1 } = {}) {
  const now = () => process.hrtime.bigint();
  let t = now(); let it = 0; do { fn(); it++; } while (Number(now() - t) < warm * 1e9);
  const per = [];
  for (let r = 0; r < reps; r++) { t = now(); it = 0; let el; do { fn(); it++; el = Number(now() - t); } while (el < secs * 1e9); per.push(el / it); }
  return { med: med(per), min: Math.min(...per), max: Math.max(...per) };
}
