"""The audit on real photographs with real weights: what is planted is found, and little else.

One planting, so that the suite stays short; docs/audit.md tells what `benchmarks.audit` found.
"""

import hashlib

import numpy as np
import pytest

from benchmarks.audit import audit, clean_flagged, featurize, score
from benchmarks.planted import plant
from recognition.audit.near_duplicates import find_duplicates
from spark_assets.features.engines import EngineName, build_engine, engine_spec
from spark_assets.output.findings_table import FindingKind

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def audited(data_dir, real_model, tmp_path_factory):
    """Return what was planted, and what was flagged."""
    folder = tmp_path_factory.mktemp("planted")
    planted = plant(data_dir / "fruits-360", label_level=1, seed=7)
    for path, content in planted.contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    engine = build_engine(engine_spec(real_model, EngineName.LITERT))
    features = featurize(folder, sorted(planted.contents), engine)
    return planted, audit(folder, planted, features)


@pytest.mark.parametrize("kind", [k for k in FindingKind if k is not FindingKind.SIMILAR_VIEW])
def test_what_is_planted_is_found(audited, kind):
    of_kind = score(kind, *audited)
    assert of_kind.n_planted >= 25
    assert of_kind.recall >= 0.95
    assert of_kind.precision is not None
    assert of_kind.precision >= 0.9


def test_few_clean_photographs_are_flagged(audited):
    assert clean_flagged(*audited) <= 0.02


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


def test_similar_views_of_the_splits_are_of_one_fruit(audited):
    """Test and Training hold frames of the same turning fruits."""
    planted, flagged = audited
    views = {pair for pair in flagged.pairs if not pair & planted.kinds.keys()}
    views = {pair for pair in views if flagged.paths[FindingKind.SIMILAR_VIEW] & pair}
    assert len(views) >= 50
    assert all(len({path.split("/")[1] for path in pair}) == 1 for pair in views)
