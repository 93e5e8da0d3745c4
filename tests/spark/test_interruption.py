import signal
import threading
import time

import pytest

from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.interruptible import run_interruptibly
from spark_assets.runtime.signals import raise_if_interrupted


@pytest.fixture
def hears_ctrl_c():
    """Take Ctrl-C as in a shell's foreground: what is in its background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hears_ctrl_c")
def test_ctrl_c_that_another_thread_receives_ends_the_work(capsys):
    heard = []

    def work() -> ExitCode:
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        end = time.monotonic() + 60
        while not heard and time.monotonic() < end:
            try:
                raise_if_interrupted()
            except FruitsError:
                heard.append(True)
            threading.Event().wait(0.01)
        return ExitCode.DONE

    assert run_interruptibly(work) == ExitCode.INTERRUPTED
    assert heard
    raise_if_interrupted()  # what comes next in this process is not
    assert capsys.readouterr().err == "interrupted; only what is complete is visible\n"
