// Ways of delivery that stand on more than fetch, in the runtimes that have them: gRPC, certificates, proxies, the spool.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { request as ask, createServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { before } from "node:test";
import { fileURLToPath } from "node:url";
import { startReceiver } from "../../demo/receiver.mjs";
import { startFaultServer } from "../node/fault-server.mjs";
import { row } from "./matrix.mjs";
import { bin, inProject, link, makeProject, missing, project } from "./project.mjs";
import { freePort } from "./servers.mjs";
import { byWebpack } from "./webpack.mjs";

const pem = (name) => fileURLToPath(new URL(`../../pkg/test/tls/${name}.pem`, import.meta.url));
const key = (name) => fileURLToPath(new URL(`../../pkg/test/tls/${name}.key`, import.meta.url));

/** Apart from the project: what the bundle imports when it runs is not found from where it lies. */
const bundled = join(project, "..", "delivery-bundle", "main.cjs");

before(async () => {
  await makeProject();
  await byWebpack("delivery.mjs", dirname(bundled), { target: "node20" });
  for (const name of ["@grpc/grpc-js", "undici"]) await link(name);
});

const runtimes = [
  [`Node ${process.versions.node}`, undefined, process.execPath, ["delivery.mjs"]],
  [`Node ${process.versions.node}, bundled by webpack`, undefined, process.execPath, [bundled]],
  ["Bun", missing("bun"), bin("bun"), ["delivery.mjs"]],
  [
    "Deno",
    missing("deno"),
    bin("deno"),
    ["run", "--quiet", "--no-prompt", "--node-modules-dir=manual", "--allow-all", "delivery.mjs"],
  ],
];

for (const [runtime, missing, command, args] of runtimes) {
  /** Runs the program; `expected`: what it says became of its span. */
  const program = async (given, expected, env) => {
    const said = await inProject(command, [...args, ...given], env);
    assert.deepEqual(JSON.parse(said.trim().split("\n").at(-1)), expected, said);
  };
  const SENT = { sent: 1, spooled: 0, restored: 0 };

  row(runtime, "gRPC (@grpc/grpc-js)", missing, async (t) => {
    const server = await startFaultServer({ protocol: "grpc" });
    t.after(() => server.close());
    await program(["grpc", server.url], SENT);
    assert.deepEqual(
      server.spans.map(({ name }) => name),
      ["work"],
    );
  });

  row(runtime, "client certificates", missing, async (t) => {
    const clients = [];
    const options = {
      cert: readFileSync(pem("server")),
      key: readFileSync(key("server")),
      ca: readFileSync(pem("ca")),
    };
    const server = createHttpsServer(
      { ...options, requestCert: true, rejectUnauthorized: true },
      (request, response) => {
        clients.push(request.socket.getPeerCertificate().subject.CN);
        request.resume().on("end", () => response.end());
      },
    );
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    const endpoint = `https://localhost:${server.address().port}/v1/traces`;
    await program(["tls", endpoint, pem("ca"), pem("client"), key("client")], SENT);
    assert.deepEqual(clients, ["client"]);
  });

  row(runtime, "a proxy of the environment", missing, async (t) => {
    const receiver = await startReceiver();
    const { host } = new URL(receiver.url);
    const through = [];
    const proxy = createServer((request, response) => {
      through.push(new URL(request.url).host);
      const options = { method: request.method, headers: request.headers };
      request.pipe(ask(request.url, options, (answer) => answer.pipe(response)));
    });
    proxy.on("connect", ({ url }, socket) => {
      through.push(url);
      const upstream = connect(Number(url.split(":")[1]), "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        socket.pipe(upstream).pipe(socket);
      });
      upstream.on("error", () => socket.destroy());
      socket.on("error", () => upstream.destroy());
    });
    await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    t.after(() => {
      proxy.close();
      proxy.closeAllConnections();
      return receiver.close();
    });
    const address = `http://127.0.0.1:${proxy.address().port}`;
    await program(["proxy", receiver.url], SENT, {
      HTTP_PROXY: address,
      http_proxy: address,
      NO_PROXY: "",
      no_proxy: "",
    });
    assert.deepEqual(through, [host]);
    assert.deepEqual(
      receiver.spans().map(({ name }) => name),
      ["work"],
    );
  });

  row(runtime, "the spool, over a restart", missing, async (t) => {
    const dir = join(project, `spool-${runtime}`);
    const port = await freePort();
    const endpoint = `http://127.0.0.1:${port}/v1/traces`;
    await program(["spool", endpoint, dir], { sent: 0, spooled: 1, restored: 0 });
    assert.equal((await readdir(dir)).length, 1);
    const server = await startFaultServer({ protocol: "http", port });
    t.after(() => server.close());
    await program(["restore", endpoint, dir], { sent: 1, spooled: 0, restored: 1 });
    assert.deepEqual(
      server.spans.map(({ name }) => name),
      ["work"],
    );
    assert.deepEqual(await readdir(dir), []);
  });

  // Deno has nothing to end a process by.
  if (runtime === "Deno") continue;
  row(runtime, "flushOnExit", missing, async (t) => {
    const receiver = await startReceiver();
    t.after(() => receiver.close());
    // It says so before.
    await program(["exit", receiver.url], { sent: 0, spooled: 0, restored: 0 });
    assert.deepEqual(
      receiver.spans().map(({ name }) => name),
      ["work"],
    );
  });
}
