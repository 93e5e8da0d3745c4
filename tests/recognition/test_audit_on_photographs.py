"""The audit of real photographs with real weights: what is planted is found, and little else."""

import hashlib
import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from recognition.audit.near_duplicates import find_duplicates
from spark_assets.output.findings_table import FindingKind
from tests.spark.commands import Place
from tests.spark.images import encode
from tests.spark.runs import save

pytestmark = pytest.mark.slow

N_EACH = 25


def blurred(image):
    return image.filter(ImageFilter.GaussianBlur(0.02 * min(image.size)))


def exposed(factor):
    """Return what multiplies the light of a photograph, which sRGB values are not."""
    return lambda image: image.point(
        [min(255, round(value * factor ** (1 / 2.4))) for value in range(256)] * 3
    )


SPOILT = {
    FindingKind.BLURRED: blurred,
    FindingKind.UNDEREXPOSED: exposed(1 / 16),
    FindingKind.OVEREXPOSED: exposed(6),
    FindingKind.LOW_RESOLUTION: lambda image: image.resize((40, 40)),
}


def other_split(path):
    split, _, rest = path.partition("/")
    other = {"Training": "Test", "Test": "Training"}[split]
    return f"{other}/{rest.removesuffix('.jpg')} copy.jpg"


def planted(contents):
    """Plant each kind in 25 photographs ``split/label/name.jpg``, none with two.

    Return the photographs, and what was planted: by kind the path at fault, and of a copy its
    source.
    """
    generator = np.random.default_rng(7)
    names = iter(map(str, generator.permutation(sorted(contents))))
    labels = sorted({path.split("/")[1] for path in contents})
    found = {kind: {} for kind in FindingKind}
    for kind, spoil in SPOILT.items():
        for path in (next(names) for _ in range(N_EACH)):
            image = Image.open(io.BytesIO(contents[path])).convert("RGB")
            contents[path] = encode(spoil(image), quality=90)
            found[kind][path] = None
    for path in (next(names) for _ in range(N_EACH)):
        split, label, name = path.split("/")
        wrong = str(generator.choice([each for each in labels if each != label]))
        contents[moved := f"{split}/{wrong}/{label} {name}"] = contents.pop(path)
        found[FindingKind.WRONG_LABEL][moved] = None
    for path in (next(names) for _ in range(N_EACH)):
        contents[copy := other_split(path)] = contents[path]
        found[FindingKind.DUPLICATE][copy] = path
    for path in (next(names) for _ in range(N_EACH)):
        image = Image.open(io.BytesIO(contents[path])).convert("RGB").resize((80, 80))
        contents[copy := other_split(path)] = encode(image, quality=75)
        found[FindingKind.NEAR_DUPLICATE][copy] = path
    return contents, found


@pytest.fixture(scope="module")
def audited(data_dir, real_model, tmp_path_factory):
    """Return the paths, what was planted among them, and the table of findings."""
    folder = data_dir / "fruits-360"
    paths = sorted(folder.rglob("*.jpg"))
    contents = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
    contents, found = planted(contents)
    place = Place(tmp_path_factory.mktemp("planted"))
    for path, content in contents.items():
        (place.images / path).parent.mkdir(parents=True, exist_ok=True)
        (place.images / path).write_bytes(content)
    save(real_model, place.folder / "model")
    place.run(command="featurize")
    assert place.give("audit") == 0
    return contents.keys(), found, place.rows("findings").to_pylist()


def flagged_with(findings, kind):
    return {row["path"] for row in findings if row["kind"] == kind}


@pytest.mark.parametrize("kind", [*SPOILT, FindingKind.WRONG_LABEL])
def test_what_is_planted_is_found(audited, kind):
    _, planted, findings = audited
    flagged, wanted = flagged_with(findings, kind), planted[kind].keys()
    assert len(flagged & wanted) >= 0.95 * len(wanted)
    assert len(flagged & wanted) >= 0.9 * len(flagged)


@pytest.mark.parametrize("kind", [FindingKind.DUPLICATE, FindingKind.NEAR_DUPLICATE])
def test_a_copy_is_found_with_its_source(audited, kind):
    _, planted, findings = audited
    pairs = {
        frozenset((row["path"], row["related_path"])) for row in findings if row["kind"] == kind
    }
    wanted = {frozenset(pair) for pair in planted[kind].items()}
    assert len(pairs & wanted) >= 0.95 * len(wanted)
    assert len(pairs & wanted) >= 0.9 * len(pairs)


def test_few_clean_photographs_are_flagged(audited):
    paths, planted, findings = audited
    touched = {path for pairs in planted.values() for pair in pairs.items() for path in pair}
    clean = paths - touched
    defects = {row["path"] for row in findings if row["kind"] != FindingKind.SIMILAR_VIEW}
    assert len(defects & clean) <= 0.02 * len(clean)


def test_similar_views_of_the_splits_are_of_one_fruit(audited):
    """Test and Training hold frames of the same turning fruits."""
    _, planted, findings = audited
    touched = {path for pairs in planted.values() for path in pairs}
    views = [
        (row["path"], row["related_path"])
        for row in findings
        if row["kind"] == FindingKind.SIMILAR_VIEW
        and not touched & {row["path"], row["related_path"]}
    ]
    assert len(views) >= 50
    assert all(one.split("/")[1] == other.split("/")[1] for one, other in views)


def test_the_splits_of_a_published_data_set_share_sixty_photographs(data_dir):
    """No variety is meant to be in both; two are, under other names."""
    folder = data_dir / "fruits-3-body"
    paths = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.jpg"))
    pairs = find_duplicates(
        np.zeros((len(paths), 1), np.float32),
        [hashlib.sha256((folder / path).read_bytes()).hexdigest() for path in paths],
        np.zeros((len(paths), 784), np.float16),
        np.zeros(len(paths), np.int64),
        np.array([path.startswith("Test/") for path in paths], np.intp),
    )
    pairs = [pair for pair in pairs if pair.kind is FindingKind.DUPLICATE]
    varieties = {
        (paths[pair.first].split("/")[2], paths[pair.second].split("/")[2]) for pair in pairs
    }
    assert varieties == {("Apple 21", "Apple Rotten 1"), ("Apple 22", "Apple worm 1")}
    assert len(pairs) == 60
