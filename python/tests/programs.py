"""Programs that tests run in processes of their own: `python programs.py NAME ENDPOINT`. As a module, the applications of the servers."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import sys
import threading
import time

from opentelemetry.sdk.trace import TracerProvider

from genspan import GenSpanProcessor

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
ENDPOINT = os.environ.get("ENDPOINT", "")


def traced(endpoint=ENDPOINT, **options):
    provider = TracerProvider()
    processor = GenSpanProcessor(endpoint=endpoint, **options)
    provider.add_span_processor(processor)
    return provider, processor, provider.get_tracer("shop")


def fork(endpoint):
    """Forks while the worker is busy in the core; each child sends a span of its own."""
    provider, processor, tracer = traced(endpoint, scheduled_delay_millis=50, max_queue_size=100)
    text = json.dumps([{"role": "assistant", "content": "深圳" * 20_000}])
    stop = threading.Event()
    made = 0

    def load():
        nonlocal made
        while not stop.is_set():
            if len(processor._sender.queue) < 40:
                with tracer.start_as_current_span(f"parent {made}", attributes={**CHAT, "gen_ai.output.messages": text}):
                    made += 1
            else:
                time.sleep(0.0005)

    thread = threading.Thread(target=load)
    thread.start()
    time.sleep(0.2)
    bad = []
    for i in range(12):
        pid = os.fork()
        if pid == 0:
            try:
                with tracer.start_as_current_span(f"child {i}", attributes=CHAT):
                    pass
                os._exit(0 if processor.force_flush(4000) and processor.stats()["seen"] == 1 else 3)
            except BaseException:
                os._exit(4)
        end = time.monotonic() + 8
        while time.monotonic() < end:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                if status:
                    bad.append((i, os.waitstatus_to_exitcode(status)))
                break
            time.sleep(0.005)
        else:
            bad.append((i, "hung"))
            os.kill(pid, 9)
            os.waitpid(pid, 0)
    stop.set()
    thread.join()
    provider.force_flush(20_000)
    provider.shutdown()
    stats = processor.stats()
    print(json.dumps({"made": made, "bad": bad, "seen": stats["seen"], "dropped": stats["destinations"][0]["dropped_full"]}))


def in_child(tracer_of, name):
    with tracer_of.start_as_current_span(name, attributes=CHAT):
        pass


_tracer = None


def spawned(endpoint):
    _, _, tracer = traced(endpoint)
    in_child(tracer, "spawned")


def forked():
    in_child(_tracer, "forked")


def children(endpoint):
    """Children of `multiprocessing`, which end without `atexit`."""
    global _tracer
    _, _, _tracer = traced(endpoint)
    in_child(_tracer, "parent")
    for kind, target, args in (("fork", forked, ()), ("spawn", spawned, (endpoint,))):
        child = multiprocessing.get_context(kind).Process(target=target, args=args)
        child.start()
        child.join(30)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.starmap(in_pool, [(i,) for i in range(4)])
        pool.close()
        pool.join()


def in_pool(i):
    in_child(_tracer, f"pool {i}")


def end(endpoint):
    """Ends without a flush: the provider has registered itself with `atexit`."""
    _, _, tracer = traced(endpoint, scheduled_delay_millis=60_000)
    in_child(tracer, "last")


def late(endpoint):
    """The first span of all starts in a function of `atexit`, when Python 3.12 starts no threads any more."""
    import atexit

    _, _, tracer = traced(endpoint, scheduled_delay_millis=60_000)
    atexit.register(lambda: in_child(tracer, "late"))


def terminated(endpoint):
    """Waits for SIGTERM, which nothing else handles."""
    _, _, tracer = traced(endpoint, scheduled_delay_millis=60_000, flush_on_exit=True)
    in_child(tracer, "before the signal")
    print("ready", flush=True)
    time.sleep(30)


def crash(endpoint):
    _, _, tracer = traced(endpoint, scheduled_delay_millis=60_000)
    in_child(tracer, "before the crash")
    raise RuntimeError("crash")


def gather(endpoint):
    """Requests of asyncio at once, each with one entry."""
    provider, _, tracer = traced(endpoint)

    async def call(i, k):
        with tracer.start_as_current_span(f"chat {i} {k}", attributes=CHAT):
            await asyncio.sleep(0.001)

    async def request(i):
        with tracer.start_as_current_span(f"agent {i}", attributes={"gen_ai.operation.name": "invoke_agent"}):
            await asyncio.gather(*(call(i, k) for k in range(4)))

    async def everything():
        await asyncio.gather(*(request(i) for i in range(20)))

    asyncio.run(everything())
    provider.shutdown()


if ENDPOINT:
    provider, processor, tracer = traced(ENDPOINT, scheduled_delay_millis=200)

    def wsgi(environ, start_response):
        """For gunicorn."""
        with tracer.start_as_current_span("GET"):
            with tracer.start_as_current_span(f"chat {os.getpid()}", attributes=CHAT):
                time.sleep(0.005)
        start_response("200 OK", [("content-length", "2")])
        return [b"ok"]

    async def asgi(scope, receive, send):
        """For uvicorn. It ends by a signal, so the lifespan shuts the provider down."""
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                if message["type"] == "lifespan.shutdown":
                    await asyncio.to_thread(provider.shutdown)
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        with tracer.start_as_current_span("GET"):
            with tracer.start_as_current_span("chat", attributes=CHAT):
                await asyncio.sleep(0.005)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
