"""Native code is silenced, and what the program says is not."""

import os
import threading

from spark_assets.runtime.progress import echo
from spark_assets.runtime.suppress_output import suppress_native_stderr


def test_native_code_is_held_back_and_the_program_is_heard(capfd):
    with suppress_native_stderr():
        os.write(2, b"a delegate was created\n")
        echo("featurizing 480 images")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "featurizing 480 images\nafter\n"


def test_blocks_may_overlap_in_threads(capfd):
    """The one that began first must not end the silence, nor the last one keep it for ever."""
    inside, leave = threading.Event(), threading.Event()

    def work():
        with suppress_native_stderr():
            inside.set()
            leave.wait(10)

    with suppress_native_stderr():
        other = threading.Thread(target=work)
        other.start()
        assert inside.wait(10)
    os.write(2, b"still held back\n")
    leave.set()
    other.join()
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"


def test_with_verbose_everything_is_heard(capfd):
    with suppress_native_stderr(verbose=True):
        os.write(2, b"a delegate was created\n")
    assert capfd.readouterr().err == "a delegate was created\n"
