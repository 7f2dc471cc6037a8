"""An application of Langfuse's SDK that knows nothing of genspan: where it sends, its environment says. Prints what its other calls gave."""

import json
import os

from langfuse import get_client, observe

langfuse = get_client()
PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@observe(as_type="generation")
def answer():
    image = {"type": "image_url", "image_url": {"url": PICTURE}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "深圳天气如何?"}, image]}]
    langfuse.update_current_generation(
        model="gpt-4o-mini", input=messages, output="26C", usage_details={"input": 57, "output": 9}
    )


@observe()
def agent():
    langfuse.score_current_trace(name="helpful", value=1)
    answer()


def outcome(call):
    try:
        return repr(call())
    except Exception as error:
        return type(error).__name__


agent()
print(json.dumps({
    "auth": outcome(langfuse.auth_check),
    "prompt": outcome(lambda: langfuse.get_prompt("greeting", fallback="hello").prompt),
}))
langfuse.flush()
langfuse.shutdown()
os._exit(0)
