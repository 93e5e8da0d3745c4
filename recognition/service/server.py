"""The service on a socket of this machine, until it is interrupted."""

import logging
import signal
import socket
import sys
import traceback
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from recognition.classifier.identifier import FruitIdentifier
from recognition.service.application import application
from recognition.service.connections import connection_options
from recognition.service.guarding import AllowedHosts, is_loopback
from recognition.service.limits import ServiceLimits
from recognition.service.waiting import waiting_line
from spark_assets.errors import FruitsError

_GRACE_SECONDS = 5


def serve(
    identifier: FruitIdentifier, limits: ServiceLimits, *, host: str, port: int, verbose: bool
) -> None:
    """Answer requests until the process is interrupted.  Port 0 is any free one.

    Raises FruitsError where the address cannot be had.
    """
    with bound_socket(host, port) as listening, waiting_line(identifier, limits) as line:
        app = application(
            identifier.classifier,
            identifier.record,
            line.identify,
            hosts=AllowedHosts.of(host),
            limits=limits,
            tell=lambda error: tell(error, verbose=verbose),
        )
        print(url_of(listening, host), flush=True)
        # As Ctrl+C: uvicorn ends what it does, and raises the signal anew.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(uvicorn_config(app, limits)).run(sockets=[listening])


def uvicorn_config(app: ASGIApp, limits: ServiceLimits) -> uvicorn.Config:
    """Return how uvicorn is to run the service: silent, and within the limits."""
    # It has nothing to say that is not said here, and its errors quote requests.
    logger = logging.getLogger("uvicorn.error")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return uvicorn.Config(
        app,
        lifespan="off",
        loop="asyncio",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        **connection_options(limits),
    )


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens.  Raises FruitsError, with what to do, where it cannot."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise FruitsError(
            f"cannot listen on port {port} of {host}: {error.strerror}; "
            "give another one with --port, or --port 0 for any that is free"
        ) from error


def url_of(listening: socket.socket, host: str) -> str:
    """Return the address to open in a browser of this machine."""
    port = listening.getsockname()[1]
    name = host if is_loopback(host) else "localhost" if host in ("0.0.0.0", "::") else host
    return f"http://[{name}]:{port}/" if ":" in name else f"http://{name}:{port}/"


def tell(error: Exception, *, verbose: bool) -> None:
    """Say on stderr that an answer failed, without what was in the request."""
    print(f"a request failed: {type(error).__name__}", file=sys.stderr, flush=True)
    if verbose:
        traceback.print_exception(error)
