"""Both engines against plain Keras, on samples with seeded weights and on real photographs."""

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from spark_assets.errors import FruitsError
from spark_assets.features.engines import EngineName, build_engine, engine_spec
from spark_assets.features.feature_model import FeatureModel
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.images.decoding import decode_image, decode_upright
from spark_assets.images.rejection import ImageLimits
from tests.spark.images import encode, picture

ENGINES = list(EngineName)


def keras_features(
    contents: list[bytes], weights_path: Path, alpha: float, size_px: int = 224
) -> np.ndarray:
    """The plain way, written out: Pillow, a bicubic square, x / 127.5 - 1, Keras."""
    import keras

    network = keras.applications.MobileNetV2(
        input_shape=(size_px, size_px, 3),
        alpha=alpha,
        include_top=False,
        weights=None,
        pooling="avg",
    )
    network.load_weights(weights_path)
    pixels = [
        np.asarray(
            Image.open(io.BytesIO(content))
            .convert("RGB")
            .resize((size_px, size_px), Image.Resampling.BICUBIC),
            dtype=np.float32,
        )
        for content in contents
    ]
    return network.predict(np.stack(pixels) / 127.5 - 1.0, verbose=0)


def our_features(contents: list[bytes], model: FeatureModel, name: EngineName) -> np.ndarray:
    engine = build_engine(engine_spec(model, name))
    limits = ImageLimits()
    size_px = model.facts.image_size_px
    pixels = [decode_image(content, size_px=size_px, limits=limits).pixels for content in contents]
    return engine(np.stack(pixels))


def assert_agree(found: np.ndarray, expected: np.ndarray) -> None:
    """The contract: within 1e-3 of the standard deviation of the features."""
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-3 * expected.std()


@pytest.mark.parametrize("name", ENGINES)
def test_engines_agree_with_keras_on_seeded_weights(name, seeded_model, tmp_path):
    weights_path = tmp_path / "model.weights.h5"
    weights_path.write_bytes(seeded_model.weights)
    contents = [encode(picture(200, 150, seed=seed), "JPEG") for seed in range(6)]
    expected = keras_features(contents, weights_path, 0.35)
    assert expected.std() > 0.01
    assert_agree(our_features(contents, seeded_model, name), expected)


@pytest.mark.parametrize("name", ENGINES)
def test_engines_agree_with_keras_on_real_photographs(name, real_model, data_dir):
    photographs = sorted((data_dir / "fruits-360" / "Test").glob("*/*.jpg"))[::8]
    contents = [path.read_bytes() for path in photographs]
    weights_path = data_dir / "weights" / "mobilenet_v2_0.35_224_no_top.weights.h5"
    expected = keras_features(contents, weights_path, 0.35)
    assert_agree(our_features(contents, real_model, name), expected)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("size_px", [96, 384])
def test_engines_agree_with_keras_at_other_image_sizes(name, size_px, data_dir, starts_processes):
    photographs = sorted((data_dir / "fruits-360" / "Test").glob("*/*.jpg"))[::30]
    contents = [path.read_bytes() for path in photographs]
    weights_path = data_dir / "weights" / "mobilenet_v2_0.35_224_no_top.weights.h5"
    request = FeatureModelRequest(str(weights_path), 0.35, image_size_px=size_px)
    model = request.obtain(verbose=False)
    expected = keras_features(contents, weights_path, 0.35, size_px)
    assert_agree(our_features(contents, model, name), expected)


def on_a_plain_wall(photograph: Image.Image, height: int) -> Image.Image:
    """Return a grainy wall of 4:3 with the photograph in its middle, half as high."""
    shape = (height, height * 4 // 3)
    shade = np.linspace(0, -8, height)[:, None] + np.linspace(0, -10, shape[1])
    wide = np.random.default_rng(0).standard_normal((height // 2, shape[1] // 2), np.float32)
    grain = np.asarray(Image.fromarray(wide).resize(shape[::-1], Image.Resampling.BICUBIC))
    wall = np.repeat((238 + shade + 2 * grain)[..., None], 3, axis=2)
    scene = Image.fromarray(wall.clip(0, 255).astype(np.uint8))
    inner = photograph.resize((height * 3 // 4, height // 2), Image.Resampling.BICUBIC)
    scene.paste(inner, ((scene.width - inner.width) // 2, (height - inner.height) // 2))
    return scene


def phone_photographs(data_dir) -> Iterator[Image.Image]:
    """Photographs as a phone takes them, of 12 and of 17 megapixels."""
    for index, path in enumerate(sorted((data_dir / "fruits-360" / "Test").glob("*/*.jpg"))[::40]):
        # The fruit fills a third of it.
        fruit = Image.open(path).resize((1500, 1500), Image.Resampling.BICUBIC)
        scene = picture(4032 - index, 3024 - index, seed=3)
        scene.paste(fruit, (1200, 700))
        yield scene
    for sample in load_sample_images().images:  # scenes full of detail, of 640 x 427
        photograph = Image.fromarray(sample)
        yield photograph.resize((5373, 3585), Image.Resampling.BICUBIC)
        yield on_a_plain_wall(photograph, 3585)


def test_a_large_jpeg_keeps_its_features(real_model, data_dir):
    """The reduced decode against the full one: cosine of at least 0.995."""
    engine = build_engine(engine_spec(real_model, EngineName.LITERT))
    for photograph in phone_photographs(data_dir):
        # At this quality the means of blocks are half levels: rounding them costs most.
        content = encode(photograph, "JPEG", quality=88)
        full = np.asarray(
            Image.open(io.BytesIO(content)).resize((224, 224), Image.Resampling.BICUBIC)
        )
        upright = decode_upright(content, target_px=224, limits=ImageLimits())
        assert min(upright.image.size) < photograph.height / 3  # none in full
        a, b = engine(np.stack([full, np.asarray(upright.square(224))]))
        assert a @ b / (np.linalg.norm(a) * np.linalg.norm(b)) >= 0.995


def test_the_features_of_one_image_do_not_depend_on_its_batch(seeded_model):
    contents = [encode(picture(seed=seed), "PNG") for seed in range(5)]
    together = our_features(contents, seeded_model, EngineName.LITERT)
    alone = our_features(contents[3:4], seeded_model, EngineName.LITERT)
    np.testing.assert_array_equal(together[3], alone[0])


@pytest.mark.slow
def test_litert_imports_no_tensorflow(seeded_model, tmp_path):
    """In a process of its own: this one has TensorFlow for the other tests."""
    (tmp_path / "model.tflite").write_bytes(seeded_model.tflite)
    program = (
        "import sys, pathlib, numpy as np\n"
        "from spark_assets.features import in_threads, on_spark\n"
        "from spark_assets.features.engines import LiteRTEngine\n"
        f"engine = LiteRTEngine(pathlib.Path({str(tmp_path)!r}, 'model.tflite').read_bytes())\n"
        "print(engine(np.zeros((1, 224, 224, 3), np.uint8)).shape)\n"
        "print(sorted({'tensorflow', 'keras'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:2] == ["(1, 1280)", "[]"]


@pytest.mark.slow
def test_weights_of_another_width_are_refused_with_what_did_not_fit(data_dir):
    path = data_dir / "weights" / "mobilenet_v2_0.35_224_no_top.weights.h5"
    with pytest.raises(FruitsError, match=r"do not fit MobileNetV2 with alpha 0\.5 .*another --a"):
        FeatureModelRequest(str(path), 0.5).obtain(verbose=False)


@pytest.mark.slow
def test_truncated_weights_are_refused(tmp_path, seeded_model):
    path = tmp_path / "cut.weights.h5"
    path.write_bytes(seeded_model.weights[: len(seeded_model.weights) // 2])
    with pytest.raises(FruitsError, match=r"the weights in cut\.weights\.h5 do not fit"):
        FeatureModelRequest(str(path), 0.35).obtain(verbose=False)


@pytest.mark.slow
def test_what_is_no_weights_file_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no weights")
    with pytest.raises(FruitsError, match=r"the weights in notes\.txt do not fit"):
        FeatureModelRequest(str(path), 0.35).obtain(verbose=False)


@pytest.mark.slow
def test_missing_weights_are_named(tmp_path):
    with pytest.raises(FruitsError, match=r"nowhere\.weights\.h5 does not exist; give a Keras"):
        FeatureModelRequest(str(tmp_path / "nowhere.weights.h5"), 1.0).obtain(verbose=False)


def test_a_width_without_imagenet_weights_is_refused_with_those_that_have():
    with pytest.raises(FruitsError, match=r"choose one of 0\.35, 0\.5, 0\.75, 1, 1\.3, 1\.4"):
        FeatureModelRequest("imagenet", 0.9).obtain(verbose=False)


def test_a_size_without_imagenet_weights_of_that_width_is_refused():
    request = FeatureModelRequest("imagenet", 1.4, image_size_px=160)
    with pytest.raises(
        FruitsError, match=r"alpha 1\.4 and images of 160 px; leave --image-size out"
    ):
        request.obtain(verbose=False)
