"""Messages of errors."""

from __future__ import annotations


def reason(error: BaseException) -> str:
    """The message of an error, without the data that was sent."""
    cause: BaseException | None = error
    # An error of urllib3 has the one of the system inside, and names addresses and objects.
    while cause is not None and type(cause).__module__.startswith("urllib3"):
        cause = cause.__cause__ or next((arg for arg in cause.args if isinstance(arg, BaseException)), None)
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    if "Timeout" in type(error).__name__:
        return "timed out"
    return str(cause or error) or type(error).__name__
