"""Two commands on one output are told of each other, and a dead one does not stand in the way."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from spark_assets.errors import FruitsError
from spark_assets.output import lease as leases
from spark_assets.output.lease import check_lease, hold_lease
from spark_assets.output.s3_lease import Holder, LeaseTimes, S3Lease
from spark_assets.storage.files import read_bytes
from spark_assets.storage.locations import Location, parse_location
from spark_assets.storage.s3 import s3_client

# Long enough for a busy machine to renew a lease that is alive, short enough for a test.
TIMES = LeaseTimes(heartbeat_s=0.05, dead_after_s=1.0)
SLOW = LeaseTimes(heartbeat_s=3600.0, dead_after_s=0.3)
MINE, OTHER = Holder("fruits run", "now"), Holder("fruits erase", "then")
BUCKET, FILE = "results", "_lease.json"


@pytest.fixture
def local(tmp_path) -> Location:
    return parse_location(str(tmp_path / "out"))


@pytest.fixture
def in_s3(emulated_aws) -> Location:
    output = parse_location(f"s3://{BUCKET}/chain")
    s3_client(output.s3).create_bucket(Bucket=BUCKET)
    return output


@pytest.fixture(params=["local", pytest.param("in_s3", marks=pytest.mark.slow)])
def output(request) -> Location:
    return request.getfixturevalue(request.param)


def test_the_second_is_refused_with_a_sentence_that_names_the_first(output):
    refusal = r"fruits run, since 20.*, is at work on .*; run this command when .* or add --wait"
    with (
        hold_lease(output, purpose="fruits run", wait=False, times=TIMES),
        pytest.raises(FruitsError, match=refusal),
        hold_lease(output, purpose="fruits erase", wait=False, times=TIMES),
    ):
        pytest.fail("both hold the lease")


def test_what_is_released_is_free_and_leaves_no_file(output):
    for purpose in ("first", "second"):
        with hold_lease(output, purpose=purpose, wait=False, times=TIMES):
            check_lease(output)
    assert read_bytes(output.child(FILE)) is None


def test_an_exception_releases_it(output):
    with (
        pytest.raises(KeyboardInterrupt),
        hold_lease(output, purpose="first", wait=False, times=TIMES),
    ):
        raise KeyboardInterrupt
    with hold_lease(output, purpose="second", wait=False, times=TIMES):
        pass


def test_who_waits_gets_it_after_the_first(output, monkeypatch):
    first_has_it, told, order = threading.Event(), threading.Event(), []
    monkeypatch.setattr(leases, "echo", lambda sentence: (order.append(sentence), told.set()))

    def first() -> None:
        with hold_lease(output, purpose="first", wait=False, times=TIMES):
            first_has_it.set()
            assert told.wait(30)
            order.append("first ends")

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(first)
        assert first_has_it.wait(30)
        with hold_lease(output, purpose="second", wait=True, times=TIMES):
            order.append("second begins")
        done.result()
    assert [each.split(",")[0] for each in order] == ["first", "first ends", "second begins"]


def test_without_a_lease_nothing_is_checked(local):
    check_lease(local)


@pytest.mark.slow
def test_a_killed_holder_of_a_local_output_stands_in_nobodys_way(local):
    code = (
        "import sys, time\n"
        "from spark_assets.storage.locations import parse_location\n"
        "from spark_assets.output.lease import hold_lease\n"
        "output = parse_location(sys.argv[1])\n"
        "with hold_lease(output, purpose='fruits run', wait=False):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, local.base],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(FruitsError, match="fruits run, since"),
            hold_lease(local, purpose="second", wait=False),
        ):
            pytest.fail("both hold the lease")
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait(30)
    with hold_lease(local, purpose="second", wait=False):
        check_lease(local)


def test_a_local_lease_whose_file_was_removed_is_lost(local):
    with hold_lease(local, purpose="first", wait=False):
        os.unlink(local.child(FILE).base)
        with pytest.raises(FruitsError, match=r"another took over .*; run it again"):
            check_lease(local)


def n_that_take_it(output) -> int:
    """Let many try to take a lease at a time; return how many have got it."""
    rivals = [S3Lease(output.child(FILE), TIMES) for _ in range(6)]
    with ThreadPoolExecutor(len(rivals)) as pool:
        answers = list(pool.map(lambda rival: rival.acquire(MINE), rivals))
    for rival in rivals:
        rival.release()
    return answers.count(None)


@pytest.mark.slow
class TestInS3:
    def test_a_lease_that_is_not_renewed_is_taken_over_and_its_holder_notices(self, in_s3):
        dead, alive = S3Lease(in_s3.child(FILE), SLOW), S3Lease(in_s3.child(FILE), TIMES)
        assert dead.acquire(OTHER) is None
        assert alive.acquire(MINE) is None
        assert not dead.is_held()
        assert alive.is_held()
        dead.release()  # what is another's stays
        assert alive.is_held()
        alive.release()

    def test_of_many_that_see_it_dead_one_takes_it_over(self, in_s3):
        assert S3Lease(in_s3.child(FILE), SLOW).acquire(OTHER) is None
        assert n_that_take_it(in_s3) == 1

    def test_of_many_that_find_none_one_takes_it(self, in_s3):
        assert n_that_take_it(in_s3) == 1

    def test_a_renewal_whose_answer_was_lost_is_recognized(self, in_s3):
        lease = S3Lease(in_s3.child(FILE), SLOW)
        assert lease.acquire(MINE) is None
        lease._write(only_if=lease._etag)  # S3 has it, and the answer did not arrive
        assert lease.is_held()
        lease.release()

    def test_an_unreadable_lease_is_watched_like_any_other(self, in_s3):
        client = s3_client(in_s3.s3)
        client.put_object(Bucket=BUCKET, Key=f"chain/{FILE}", Body=b"{half")
        with hold_lease(in_s3, purpose="second", wait=False, times=SLOW):
            check_lease(in_s3)
