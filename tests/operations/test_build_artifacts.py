"""``fruits build-artifacts``: what is built, and what stays."""

import os
import tarfile

import pytest

from operations import cli, library_archive, wheelhouse
from operations.commands import build_artifacts as command


@pytest.fixture
def built(tmp_path, monkeypatch):
    """Return the list of what is built, in a repository of its own."""
    steps = []

    def make_wheelhouse(architecture, target):
        steps.append(f"wheels {architecture}")
        target.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(target, "w:gz"):
            pass

    def pack_libraries(_wheels, target):
        steps.append("libraries")
        target.touch()
        return 2

    def export_model(request, folder):
        steps.append(f"model {request.weights}")
        (tmp_path / "build" / "model").mkdir(parents=True)
        (tmp_path / "build" / "model" / "model.json").touch()

    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "export_model", export_model)
    monkeypatch.setattr(wheelhouse, "make_wheelhouse", make_wheelhouse)
    monkeypatch.setattr(wheelhouse, "REQUIREMENTS", tmp_path / "requirements.txt")
    monkeypatch.setattr(library_archive, "pack_libraries", pack_libraries)
    wheelhouse.REQUIREMENTS.touch()
    return steps


def test_what_is_missing_is_built_and_what_is_there_stays(built, capsys):
    assert cli.main(["build-artifacts"]) == 0
    assert built == ["wheels arm64", "libraries", "model imagenet"]
    assert "wheelhouse.tar.gz: 0 wheels for arm64" in capsys.readouterr().err
    assert cli.main(["build-artifacts"]) == 0
    assert len(built) == 3


def test_wheels_are_packed_anew_where_their_pins_are_newer(built):
    assert cli.main(["build-artifacts", "--architecture", "x86_64"]) == 0
    assert built == ["wheels x86_64", "libraries"]
    target = command.ROOT / "build" / "wheelhouse" / "x86_64" / "wheelhouse.tar.gz"
    later = target.stat().st_mtime + 10
    os.utime(wheelhouse.REQUIREMENTS, (later, later))
    assert cli.main(["build-artifacts", "--architecture", "x86_64"]) == 0
    assert built[2] == "wheels x86_64"


@pytest.mark.parametrize(
    ("context", "steps"),
    [
        (
            ["worker_instance_type=m7i.xlarge", "primary_instance_type=c6i.xlarge"],
            ["wheels x86_64", "libraries", "model imagenet"],
        ),
        (["wheelhouse_path=/elsewhere"], ["model imagenet"]),
        (["wheelhouse_path=/elsewhere", "model_path=/elsewhere"], []),
    ],
)
def test_artifacts_from_elsewhere_are_not_built(built, context, steps):
    options = [word for value in context for word in ("-c", value)]
    assert cli.main(["build-artifacts", *options]) == 0
    assert built == steps
