// The control of the bench: an OTLP encoder in plain JS, as clever as we know how, that normalises nothing.
// new FastJs(bytes, native, T).run(spans, resourceMsg(stockBytes)) -> Uint8Array (an ExportTraceServiceRequest)
// native: 'utf8Write' (Node) or 'encodeInto'; T: up to how many characters a string goes through a charCodeAt loop.
// biome-ignore-all lint: kept as the measurements were made with it
// biome-ignore-all format: kept as the measurements were made with it
// biome-ignore-all assist: kept as the measurements were made with it
const te = new TextEncoder();
const HX = new Uint8Array(128).fill(0); for (let i = 0; i < 16; i++) { HX['0123456789abcdef'.charCodeAt(i)] = i; HX['0123456789ABCDEF'.charCodeAt(i)] = i; }
// ---- pure-JS control: same ideas, no wasm
export class FastJs {
  constructor(bytes = 80 << 20, native = 'encodeInto', T = 32) { this.u8 = new Uint8Array(bytes); this.dv = new DataView(this.u8.buffer); this.buf = Buffer.from(this.u8.buffer); this.kp = new Map(); this.p = 0; this.native = native; this.T = T; this.preds = new Map(); }
  prefix(k) { let b = this.kp.get(k); if (b === undefined) { const s = te.encode(k); if (s.length > 127) throw 1; b = new Uint8Array(s.length + 3); b[0] = 0x0a; b[1] = s.length; b.set(s, 2); b[s.length + 2] = 0x12; this.kp.set(k, b); } return b; }
  wv(x) { const u = this.u8; let p = this.p; while (x > 127) { u[p++] = x & 127 | 128; x >>>= 7; } u[p++] = x; this.p = p; }
  static vl(x) { return x < 128 ? 1 : x < 16384 ? 2 : x < 2097152 ? 3 : x < 268435456 ? 4 : 5; }
  // writes utf8 of s at q, returns the length
  enc(s, q) { const n = s.length, u8 = this.u8; if (n <= this.T) { let i = 0; for (; i < n; i++) { const c = s.charCodeAt(i); if (c > 127) return te.encodeInto(s, u8.subarray(q)).written; u8[q + i] = c; } return n; } return this.native === 'utf8Write' ? this.buf.utf8Write(s, q) : te.encodeInto(s, u8.subarray(q)).written; }
  kv(tag, k, v, pre) {
    const u = this.u8; const vl = FastJs.vl; u[this.p++] = tag; const kl = pre.length;
    const typ = typeof v;
    if (typ === 'string') {
      // guess header widths from s.length (right for ASCII); on a miss move the bytes
      const n = v.length; let a = 1 + vl(n) + n, kvn = kl + vl(a) + a; const q = this.p + vl(kvn) + kl + vl(a) + 1 + vl(n); const len = this.enc(v, q);
      let q2 = q; if (len !== n) { a = 1 + vl(len) + len; kvn = kl + vl(a) + a; q2 = this.p + vl(kvn) + kl + vl(a) + 1 + vl(len); if (q2 !== q) u.copyWithin(q2, q, q + len); }
      this.wv(kvn); this.putPre(pre); this.wv(a); u[this.p++] = 0x0a; this.wv(len); this.p = q2 + len;
    } else if (typ === 'number') {
      if (Number.isInteger(v) && v >= 0 && v <= 0xffffffff) { const a = 1 + vl(v); this.wv(kl + 1 + a); this.putPre(pre); u[this.p++] = a; u[this.p++] = 0x18; this.wv(v); }
      else { this.wv(kl + 1 + 9); this.putPre(pre); u[this.p++] = 9; u[this.p++] = 0x21; this.dv.setFloat64(this.p, v, true); this.p += 8; }
    } else if (typ === 'boolean') { this.wv(kl + 3); this.putPre(pre); u[this.p++] = 2; u[this.p++] = 0x10; u[this.p++] = v ? 1 : 0; }
    else { // small arrays only in this control
      const st = this.p + 8 + kl; let q = st; for (const x of v) { const l = this.enc(x, q + 4); u[q] = 0x0a; u[q + 1] = l + 2; u[q + 2] = 0x0a; u[q + 3] = l; q += 4 + l; } const al = q - st; const a = 1 + vl(al) + al;
      this.wv(kl + vl(a) + a); this.putPre(pre); this.wv(a); u[this.p++] = 0x2a; this.wv(al); u.copyWithin(this.p, st, q); this.p += al;
    }
  }
  putPre(b) { const u = this.u8; let p = this.p; for (let i = 0; i < b.length; i++) u[p++] = b[i]; this.p = p; }
  attrs(tag, a, pred) { let n = 0; const pk = pred.k, pi = pred.i; for (const k in a) { let pre; if (pk[n] === k) pre = pi[n]; else { pre = this.prefix(k); pk[n] = k; pi[n] = pre; } this.kv(tag, k, a[k], pre); n++; } }
  pred(name) { let p = this.preds.get(name); if (p === undefined) { p = { k: [], i: [] }; this.preds.set(name, p); } return p; }
  hex(s, n) { const u = this.u8; let p = this.p; for (let i = 0; i < n; i += 2) u[p++] = HX[s.charCodeAt(i)] << 4 | HX[s.charCodeAt(i + 1)]; this.p = p; }
  str(tag, s) { const u = this.u8; u[this.p++] = tag; const n = s.length; const q = this.p + FastJs.vl(n); const l = this.enc(s, q); if (l !== n && FastJs.vl(l) !== FastJs.vl(n)) u.copyWithin(this.p + FastJs.vl(l), q, q + l); this.wv(l); this.p += l; }
  time(t) { const v = BigInt(t[0]) * 1000000000n + BigInt(t[1]); this.dv.setBigUint64(this.p, v, true); this.p += 8; }
  run(spans, resourceMsg) {
    const groups = new Map(); for (let i = 0; i < spans.length; i++) { const sc = spans[i].instrumentationScope; let g = groups.get(sc); if (g === undefined) groups.set(sc, g = []); g.push(spans[i]); }
    const u = this.u8; this.p = 16; const rs0 = this.p; for (let i = 0; i < resourceMsg.length; i++) u[this.p++] = resourceMsg[i];
    for (const [sc, list] of groups) {
      u[this.p++] = 0x12; const ss = this.p; this.p += 5; const ss0 = this.p;
      const nm = te.encode(sc.name), ver = te.encode(sc.version || ''); u[this.p++] = 0x0a; u[this.p++] = nm.length + 2 + (ver.length ? ver.length + 2 : 0); u[this.p++] = 0x0a; u[this.p++] = nm.length; u.set(nm, this.p); this.p += nm.length; if (ver.length) { u[this.p++] = 0x12; u[this.p++] = ver.length; u.set(ver, this.p); this.p += ver.length; }
      for (let i = 0; i < list.length; i++) this.span(list[i]);
      const len = this.p - ss0; const d = 5 - FastJs.vl(len); const end = this.p; if (d) u.copyWithin(ss0 - d, ss0, end); this.p = ss; this.wv(len); this.p = end - d;
    }
    const len = this.p - rs0; const st = rs0 - FastJs.vl(len) - 1; const end = this.p; u[st] = 0x0a; this.p = st + 1; this.wv(len); this.p = end; return u.subarray(st, end);
  }
  span(s) {
    const u = this.u8, c = s.spanContext(); u[this.p++] = 0x12; const h = this.p; this.p += 4; const b = this.p;
    u[this.p++] = 0x0a; u[this.p++] = 16; this.hex(c.traceId, 32); u[this.p++] = 0x12; u[this.p++] = 8; this.hex(c.spanId, 16);
    const par = s.parentSpanContext; if (par && par.spanId) { u[this.p++] = 0x22; u[this.p++] = 8; this.hex(par.spanId, 16); }
    this.str(0x2a, s.name); u[this.p++] = 0x30; u[this.p++] = s.kind + 1; u[this.p++] = 0x39; this.time(s.startTime); u[this.p++] = 0x41; this.time(s.endTime);
    this.attrs(0x4a, s.attributes, this.pred(s.name)); u[this.p++] = 0x50; u[this.p++] = 0;
    for (const e of s.events) { u[this.p++] = 0x5a; const eh = this.p; this.p += 4; const e0 = this.p; u[this.p++] = 0x09; this.time(e.time); this.str(0x12, e.name); this.attrs(0x1a, e.attributes || {}, this.pred(e.name)); u[this.p++] = 0x20; u[this.p++] = 0; this.close(eh, e0); }
    u[this.p++] = 0x60; u[this.p++] = 0; u[this.p++] = 0x70; u[this.p++] = 0; u[this.p++] = 0x7a; u[this.p++] = 2; u[this.p++] = 0x18; u[this.p++] = s.status.code;
    u[this.p++] = 0x85; u[this.p++] = 1; this.dv.setUint32(this.p, (c.traceFlags & 0xff) | 0x100 | (par && par.isRemote ? 0x200 : 0), true); this.p += 4;
    this.close(h, b);
  }
  close(h, b) { const len = this.p - b; const vl = FastJs.vl(len); const d = 4 - vl; const end = this.p; if (d) this.u8.copyWithin(b - d, b, end); this.p = h; this.wv(len); this.p = end - d; }
}
export function resourceMsg(stockBytes) { // take the encoded Resource field (0a len ...) out of the stock bytes
  let p = 1; const rv = () => { let r = 0, s = 0, b; do { b = stockBytes[p++]; r |= (b & 127) << s; s += 7; } while (b > 127); return r; }; rv(); const st = p; p++; const l = rv(); return stockBytes.slice(st, p + l);
}
