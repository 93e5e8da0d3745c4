"""The service on a socket of this machine, until it is interrupted."""

import logging
import signal
import socket
import sys
import traceback
from contextlib import suppress
from ipaddress import ip_address

import uvicorn
from starlette.types import ASGIApp

from recognition.classifier.identifier import FruitIdentifier
from recognition.service.limits import ServiceLimits
from recognition.service.web_app import SECURITY_HEADERS, WebApp
from recognition.service.worker_pool import WorkerPool
from spark_assets.errors import FruitsError


def serve(
    identifier: FruitIdentifier, limits: ServiceLimits, *, host: str, port: int, verbose: bool
) -> None:
    """Serve the page until the process is interrupted.  Port 0 is any free one.

    Raises FruitsError where the address cannot be bound.
    """
    with bound_socket(host, port) as listening, WorkerPool(identifier, limits) as pool:
        app = WebApp(
            identifier.classifier,
            identifier.record,
            pool.identify,
            limits=limits,
            on_error=lambda error: report_failure(error, verbose=verbose),
        ).starlette(network_names(host))
        print(url_of(listening, host), flush=True)
        # As Ctrl+C: uvicorn ends its tasks, and raises the signal again.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(uvicorn_config(app, limits)).run(sockets=[listening])


def uvicorn_config(app: ASGIApp, limits: ServiceLimits) -> uvicorn.Config:
    """Return the settings of uvicorn: silent, and within the limits."""
    # Its errors quote requests.
    logger = logging.getLogger("uvicorn.error")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return uvicorn.Config(
        app,
        lifespan="off",
        loop="asyncio",
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        headers=list(SECURITY_HEADERS.items()),
        limit_concurrency=limits.n_connections,
        h11_max_incomplete_event_size=16 * 1024,
        backlog=128,
        timeout_graceful_shutdown=1,
    )


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket.  Raises FruitsError where the address cannot be bound."""
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


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is an address or the name of this machine alone."""
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def network_names(host: str) -> tuple[str, ...]:
    """Return the names by which a network reaches what listens on ``host``; none for loopback."""
    if is_loopback(host):
        return ()
    own = socket.gethostname()
    return host, own, f"{own}.local"


def report_failure(error: Exception, *, verbose: bool) -> None:
    """Print the class of an error on stderr, without the content of the request."""
    print(f"a request failed: {type(error).__name__}", file=sys.stderr, flush=True)
    if verbose:
        traceback.print_exception(error)
