"""Spark on a cluster: a wrong variable or address is refused by name, before Spark starts."""

import socket

import pytest

from spark_assets.errors import FruitsError
from spark_assets.runtime.cluster_checks import check_cluster
from spark_assets.runtime.java import check_java


@pytest.fixture
def closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener.getsockname()[1]  # bound and not listening: a connection is refused


@pytest.fixture
def open_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("SPARK_HOME", "PYSPARK_SUBMIT_ARGS"):
        monkeypatch.delenv(name, raising=False)


def test_an_address_where_nothing_answers_is_refused_at_once(closed_port):
    with pytest.raises(FruitsError, match=r"cannot be reached \(Connection refused\); check the"):
        check_cluster(f"spark://127.0.0.1:{closed_port}")


def test_an_address_without_a_port_is_refused():
    with pytest.raises(FruitsError, match=r"spark://node cannot be reached \(no host:port\)"):
        check_cluster("spark://node")


def test_one_master_of_several_that_answers_is_enough(open_port, closed_port):
    check_cluster(f"spark://127.0.0.1:{closed_port},127.0.0.1:{open_port}")


def test_a_spark_home_that_is_gone_is_named(monkeypatch, open_port):
    monkeypatch.setenv("SPARK_HOME", "/opt/spark-2.4.8")
    with pytest.raises(FruitsError, match=r"SPARK_HOME=/opt/spark-2\.4\.8 holds no Spark, and"):
        check_cluster(f"spark://127.0.0.1:{open_port}")


def test_a_spark_home_of_another_version_is_named(monkeypatch, tmp_path):
    jar = tmp_path / "jars" / "spark-core_2.12-3.5.8.jar"
    jar.parent.mkdir()
    jar.touch()
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    with pytest.raises(FruitsError, match=r"holds Spark 3\.5\.8, and Spark 4\.1\.1 is needed"):
        check_cluster("yarn")


def test_arguments_for_spark_submit_that_pyspark_cannot_take_are_named(monkeypatch):
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--master local[2]")
    with pytest.raises(FruitsError, match=r"PYSPARK_SUBMIT_ARGS is .* has to end in pyspark-shell"):
        check_cluster("yarn")


@pytest.mark.slow
def test_options_that_java_does_not_take_are_named(monkeypatch):
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-XX:MaxPermSize=512m")
    with pytest.raises(FruitsError) as caught:
        check_java()
    told = str(caught.value)
    assert "does not start (Unrecognized VM option 'MaxPermSize=512m')" in told
    assert told.endswith("unset JAVA_TOOL_OPTIONS, whose options it does not take")


@pytest.mark.slow
def test_a_java_that_is_no_program_is_named(monkeypatch, tmp_path):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_bytes(b"\0" * 100)
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(
        FruitsError, match=r"java does not start \(Exec format error\); Spark needs"
    ):
        check_java()
