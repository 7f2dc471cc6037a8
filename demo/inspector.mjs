// The end of the demo: its traces in the inspector, for whoever sits at a terminal; for a machine, the proof that they are there.
import { existsSync } from "node:fs";
import { join } from "node:path";

/** The body comes in as a sender would have sent it, before genspan. */
export async function startInspector(body, port) {
  const serve = await import("../pkg/dist/serve.js");
  const { PAGE } = serve;
  const start = (at) =>
    serve.startInspector(serve.inspectCommand(["--port", String(at), "--grpc-port", "none"]), {
      folder: PAGE,
      write() {},
      colour: false,
    });
  const inspector = await start(port).catch(() => start(0));
  inspector.add(body);
  return { ...inspector, hasPage: existsSync(join(PAGE, "index.html")), open: () => serve.openBrowser(inspector.url) };
}

/** What is wrong with it, as a program that asks it finds out. */
export async function checkInspector({ url, hasPage }, body) {
  const wrong = [];
  const expect = (holds, what) => {
    if (!holds) wrong.push(`inspector: ${what}`);
  };
  const page = await fetch(url);
  const text = await page.text();
  if (hasPage) expect(page.status === 200 && /<html/i.test(text), `the page answered ${page.status}`);
  else expect(page.status === 404 && text.includes("make build"), `without a page it answered ${page.status}`);
  const { kept, endpoints } = await (await fetch(`${url}/api/info`)).json();
  expect(kept.bodies === 1 && endpoints.http === url, `it keeps ${kept.bodies} bodies of the demo's one`);
  const bodies = await fetch(`${url}/api/bodies`);
  const frame = await firstFrame(bodies.body.getReader());
  expect(Buffer.compare(frame, body) === 0, "the body that it gives is not the one that it got");
  return wrong;
}

/** A length, little-endian, and so many bytes. */
async function firstFrame(reader) {
  let read = Buffer.alloc(0);
  for (;;) {
    if (read.length >= 4 && read.length >= 4 + read.readUInt32LE()) break;
    const { done, value } = await reader.read();
    if (done) break;
    read = Buffer.concat([read, value]);
  }
  await reader.cancel();
  return read.subarray(4, 4 + read.readUInt32LE());
}
