"""A run after photographs were deleted or changed leaves nothing of them in the output."""

import shutil

import pytest

from tests.spark.commands import Place
from tests.spark.runs import put, save, touch
from tests.spark.traces import Needles, local_files, needles_of, traces

N_PHOTOGRAPHS = 12
CHANGED = "pear/03.png"


@pytest.fixture
def place(tmp_path, seeded_model):
    """Return an output in which everything is that can name or show a photograph."""
    place = Place(tmp_path)
    save(seeded_model, tmp_path / "model")
    for index in range(N_PHOTOGRAPHS):
        put(place.images, f"{('apple', 'pear')[index % 2]}/{index:02d}.png", seed=index)
    put(place.images, "pear/copy of 01.png", (place.images / "pear/01.png").read_bytes())
    put(place.images, "apple/broken.png", b"broken")
    place.run("--n-components", "3")
    assert place.give("evaluate", "--folds", "2") == 0
    assert place.give("audit") == 0
    return place


def where(place: Place, needles: Needles) -> set[str]:
    """Return the folders of the output in which something is found."""
    found = traces(local_files(place.out), needles)
    return {trace.removeprefix(f"{place.out}/").partition("/")[0] for trace in found}


@pytest.mark.parametrize("command", ["featurize", "run"])
def test_nothing_is_left_of_what_was_deleted_or_changed(place, command):
    deleted = needles_of(place.out, place.images, "apple/02.png", "apple/broken.png")
    changed = needles_of(place.out, place.images, CHANGED, named=False)
    assert where(place, deleted) == {
        "features", "rejected", "reduced", "classifier", "findings", "report"
    }  # fmt: skip
    assert where(place, changed) == {"features", "classifier", "report"}
    for name in ("apple/02.png", "apple/broken.png"):
        (place.images / name).unlink()
    touch(put(place.images, CHANGED, seed=77), later_s=60)
    place.run(command=command)
    assert where(place, deleted) == set()
    assert where(place, changed) == set()
    left = place.paths()
    assert len(left) == N_PHOTOGRAPHS
    # Projected by a later command, where this one does not do it.
    assert place.paths("reduced") == [path for path in left if command == "run" or path != CHANGED]


def test_the_classifier_answers_with_the_photographs_that_are_left(place, capsys):
    gone = place.images / "apple/02.png"
    photograph = gone.rename(place.folder / "02.png")
    assert place.give("identify", str(photograph)) == 0
    assert "apple/02.png" in capsys.readouterr().out
    place.run()
    assert place.give("identify", str(photograph)) == 0
    assert "apple/02.png" not in capsys.readouterr().out


def test_the_classifier_goes_with_the_last_photograph_that_it_compares_with(place):
    shutil.rmtree(place.images)
    put(place.images, "kiwi/1.png", seed=50)
    place.run("--confirm-missing")
    assert place.paths() == place.paths("reduced") == ["kiwi/1.png"]
    assert not (place.out / "classifier").exists()
