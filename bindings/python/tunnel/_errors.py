"""What a negative status of the C library becomes. Each is also a class that Python expects."""

from tunnel import _native


class TunnelError(Exception):
    """A call that did not happen. `status` is the number of the C library, `hint` what to do."""

    def __init__(self, message: str, status: int = _native.ERR_ARGUMENT):
        super().__init__(message)
        self.status = status
        self.hint = _native.status_hint(status)


class ArgumentError(TunnelError, ValueError):
    """An argument out of range, or arguments that contradict each other."""


class InvalidKey(TunnelError, ValueError):
    """Text or bytes that are no key, or a key that cannot be used here."""


class NotFound(TunnelError, LookupError):
    """No such peer."""


class Exists(TunnelError, ValueError):
    """The peer is there already."""


class LimitReached(TunnelError):
    """A maximum of the configuration is reached."""


class Closed(TunnelError, ValueError):
    """The core was closed."""


_CLASSES = {
    _native.ERR_ARGUMENT: ArgumentError,
    _native.ERR_KEY: InvalidKey,
    _native.ERR_NOT_FOUND: NotFound,
    _native.ERR_EXISTS: Exists,
    _native.ERR_LIMIT: LimitReached,
    _native.ERR_CLOSED: Closed,
}


def from_status(status: int, what: str) -> Exception:
    """The exception for a status; called by the native part."""
    if status == _native.ERR_MEMORY:
        return MemoryError(what)
    return _CLASSES.get(status, TunnelError)(f"{what}: {_native.status_text(status)}", status)


def bad_value(message: str) -> ArgumentError:
    """The exception for an argument that the native part refuses itself."""
    return ArgumentError(message)
