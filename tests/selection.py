"""Which tests `pytest --fast` runs, the guard that they start no process, and in which order.

Slow is a test that is marked so, one that uses the fixture ``starts_processes``, by itself or
through another fixture, and every test of a file that imports the CDK, which starts Node.
"""

import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from ipaddress import ip_address
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# Audit events of Python itself, which nothing that starts a process goes around.
_STARTS = {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen"}
_STARTS_NODE = {"aws_cdk", "cdk_nag", "constructs"}
_MEND = "mark the test slow, or let it use the fixture starts_processes"
# Their tests share a costly fixture of the session: the stacks, moto's server, Spark.
_IN_ONE_PROCESS = ("tests/infrastructure", "tests/operations/aws", "tests/spark")
# What takes longest comes first, so that no process is left with it in the end.
_LONGEST = ("tests/end_to_end/test_rehearsal.py", "tests/spark")


class Guard(MetaPathFinder):
    """Fails what starts a process, or connects to another machine, while ``is_on``.

    With ``fast``, a file that imports the CDK is no part of the collection.
    """

    def __init__(self, *, fast: bool) -> None:
        self._fast = fast
        self._collecting = True
        # Until the first file is collected: pytest-xdist starts processes before.
        self.is_on = False
        sys.addaudithook(self._hear)
        if fast:
            sys.meta_path.insert(0, self)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.is_on:
            return
        if event in _STARTS:
            what = " ".join([event, *map(str, arguments[:1])])
            pytest.fail(f"a fast test starts a process ({what}): {_MEND}")
        if event == "socket.connect" and _is_elsewhere(arguments[1]):
            pytest.fail(f"a fast test connects to {arguments[1]}: {_MEND}")

    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname not in _STARTS_NODE:
            return
        if self._collecting:
            raise pytest.skip.Exception(f"{fullname} starts Node", allow_module_level=True)
        pytest.fail(f"a fast test imports {fullname}, which starts Node: {_MEND}")

    def pytest_collectstart(self) -> None:
        self.is_on = self._fast

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Iterator[None]:
        report = yield
        if self._fast and report.outcome == "skipped" and "starts Node" in str(report.longrepr):
            report.outcome, report.longrepr, report.result = "passed", None, []
        return report

    @pytest.hookimpl(tryfirst=True)  # before what `-m` selects
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        self._collecting = False
        for item in items:
            if "starts_processes" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.slow)
        if self._fast:
            slow = [item for item in items if _is_slow(item)]
            config.hook.pytest_deselected(items=slow)
            items[:] = [item for item in items if not _is_slow(item)]
        items.sort(key=lambda item: _rank(_group(item.nodeid)))

    @pytest.hookimpl(tryfirst=True)  # before pytest-xdist's own
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> object:
        return _Scheduler(config, log, shares_fixtures=not self._fast)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.is_on = not _is_slow(item)
        try:
            return (yield)
        finally:
            self.is_on = self._fast


def _is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None


class _Scheduler(LoadScopeScheduling):
    """Gives a process one group of tests after the other; of fast tests, one file.

    ``--dist loadgroup`` is the same by marks, but pytest-xdist 3.8 cannot pass them on to the
    scheduler with pytest 9.2, and says nothing of it.
    """

    def __init__(self, config: pytest.Config, log: Any, *, shares_fixtures: bool) -> None:
        super().__init__(config, log)
        self._shares_fixtures = shares_fixtures

    def _split_scope(self, nodeid: str) -> str:
        # Fast tests have no costly fixture, and one folder would keep one process busy to the end.
        return _group(nodeid) if self._shares_fixtures else nodeid.partition("::")[0]


def _group(nodeid: str) -> str:
    """Return what runs in one process: the tests of a file, or of a whole folder."""
    file = nodeid.partition("::")[0]
    return next((each for each in _IN_ONE_PROCESS if file.startswith(f"{each}/")), file)


def _rank(group: str) -> int:
    return _LONGEST.index(group) if group in _LONGEST else len(_LONGEST)


def _is_elsewhere(address: object) -> bool:
    """Return whether an address is on another machine; a path is a socket of this one."""
    if not isinstance(address, tuple):
        return False
    try:
        return not ip_address(address[0]).is_loopback
    except ValueError:
        return address[0] != "localhost"
