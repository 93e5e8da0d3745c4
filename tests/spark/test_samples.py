import errno
import hashlib
import io
import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, UnidentifiedImageError

from sample_photographs import sample_folder as samples
from sample_photographs.calibration_images import N_CALIBRATION_IMAGES, calibration_pixels
from sample_photographs.sample_files import SampleShot, draw_upright, encode_shot, plan_shots
from sample_photographs.sample_folder import (
    BROKEN_IMAGES,
    LABELS,
    MARKER_NAME,
    SamplesError,
    draw_samples,
)
from spark_assets.images.decoding import decode_image
from spark_assets.images.ignored_names import is_image_name
from spark_assets.images.labels import LabelRule
from spark_assets.images.rejection import ImageLimits, ImageRejected

ORIENTATION = 274
SHOTS = list(plan_shots(24))


@pytest.fixture(scope="module")
def default_set(tmp_path_factory):
    """Return the folder of the whole set, as `make run` draws it."""
    output = tmp_path_factory.mktemp("samples") / "images"
    draw_samples(output)
    return output


def contents(folder: Path) -> dict[str, str]:
    """Return the digest of every file, hidden ones included."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def images_of(folder: Path) -> set[str]:
    return {path for path in contents(folder) if path != MARKER_NAME}


def broken_content(folder: Path, reason: str) -> list[bytes]:
    return [
        (folder / broken.path).read_bytes() for broken in BROKEN_IMAGES if broken.reason == reason
    ]


def thumbnail(image: Image.Image, size: int = 32) -> np.ndarray:
    small = image.convert("RGBA").resize((size, size), Image.Resampling.BOX)
    white = Image.new("RGBA", small.size, (255, 255, 255, 255))
    return np.asarray(Image.alpha_composite(white, small).convert("RGB")).astype(float)


def test_the_default_set_holds_24_images_of_each_label_and_the_broken_ones(default_set):
    paths = images_of(default_set)
    assert paths == {shot.path for shot in SHOTS} | {broken.path for broken in BROKEN_IMAGES}
    assert len(paths) == 24 * len(LABELS) + len(BROKEN_IMAGES)
    assert len(LABELS) >= 8
    assert 5 <= len(BROKEN_IMAGES) < 0.05 * len(paths)
    assert set(LabelRule().labels_of(sorted(paths))) == set(LABELS)
    assert len({broken.path.split("/")[0] for broken in BROKEN_IMAGES}) > 1


def test_the_result_counts_what_a_listing_finds(tmp_path):
    result = draw_samples(tmp_path / "images", images_per_label=1)
    looked_at = [path for path in contents(tmp_path / "images") if is_image_name(path)]
    assert result.n_images == len(looked_at) == len(LABELS) + len(BROKEN_IMAGES)
    assert result.n_broken == len(BROKEN_IMAGES)
    assert result.labels == LABELS


def test_labels_and_names_hold_what_trips_careless_readers():
    assert any(" " in label for label in LABELS)
    assert any(not label.isascii() for label in LABELS)
    names = [shot.path.split("/")[1] for shot in SHOTS]
    for ending in (".jpg", ".JPG", ".jpeg", ".png", ".webp"):
        assert any(name.endswith(ending) for name in names), ending
    assert any("." not in name for name in names)
    assert any(name.startswith("_") for name in names)
    for character in " %#+é":
        assert any(character in name for name in names), character


def test_no_two_names_collide_where_case_does_not_count():
    paths = [shot.path.casefold() for shot in plan_shots(60)]
    assert len(set(paths)) == len(paths)


def test_every_image_is_stored_as_planned(default_set):
    for shot in SHOTS:
        with Image.open(default_set / shot.path) as image:
            swapped = shot.orientation >= 5
            upright_size = image.size[::-1] if swapped else image.size
            assert upright_size == (shot.width, shot.height), shot.path
            assert image.format == shot.file_format, shot.path
            assert image.mode == shot.mode, shot.path


def test_sizes_span_100_px_to_12_megapixels():
    longer = [max(shot.width, shot.height) for shot in SHOTS]
    assert min(longer) == 100
    assert 900 < max(side for side in longer if side < 2000) < 1100
    huge = [shot for shot in SHOTS if shot.width * shot.height == 4032 * 3024]
    assert len(huge) >= 4
    assert {shot.file_format for shot in huge} == {"JPEG"}
    assert sum(side > 1100 for side in longer) == len(huge)


def test_all_formats_and_odd_modes_are_there():
    assert {shot.file_format for shot in SHOTS} == {"JPEG", "PNG", "WEBP"}
    modes = [shot.mode for shot in SHOTS]
    assert modes.count("P") == modes.count("L") == 1
    assert modes.count("RGBA") >= 4


def test_all_eight_orientations_are_stored_and_no_other_metadata(default_set):
    stored = set()
    for shot in SHOTS:
        with Image.open(default_set / shot.path) as image:
            tags = dict(image.getexif())
            assert tags == ({ORIENTATION: shot.orientation} if shot.orientation != 1 else {})
            assert not {"xmp", "icc_profile", "comment"} & image.info.keys(), shot.path
        stored.add(shot.orientation)
    assert stored == set(range(1, 9))


@pytest.mark.parametrize("orientation", range(2, 9))
def test_the_orientation_makes_the_drawing_upright(default_set, orientation):
    shot = next(
        shot
        for shot in SHOTS
        if shot.orientation == orientation and max(shot.width, shot.height) < 700
    )
    drawn = thumbnail(draw_upright(shot, 0))
    with Image.open(default_set / shot.path) as image:
        stored, upright = thumbnail(image), thumbnail(ImageOps.exif_transpose(image))
    assert np.abs(upright - drawn).mean() < 3
    assert np.abs(stored - drawn).mean() > 3 * np.abs(upright - drawn).mean() + 3


def test_a_label_looks_like_itself_and_not_like_the_others(default_set):
    looks, labels = [], []
    for shot in SHOTS:
        if shot.mode == "L":
            continue
        with Image.open(default_set / shot.path) as image:
            image.draft("RGB", (64, 64))
            middle = thumbnail(image)[6:26, 6:26].reshape(-1, 3)
        counts, _ = np.histogramdd(middle, bins=6, range=[(0, 256)] * 3)
        looks.append(np.sqrt(counts.ravel() / counts.sum()))
        labels.append(shot.label)
    likeness = np.array(looks) @ np.array(looks).T
    np.fill_diagonal(likeness, -1)
    nearest = np.array(labels)[likeness.argmax(axis=1)]
    # Colours alone, whatever the table: one in ten by chance.
    assert (nearest == labels).mean() > 0.7


def test_no_two_images_of_a_label_show_the_same_scene(default_set):
    digests = contents(default_set)
    assert len(set(digests.values())) == len(digests)
    for label in LABELS:
        scenes = []
        for shot in SHOTS:
            if shot.label == label and shot.mode == "RGB":
                with Image.open(default_set / shot.path) as image:
                    image.draft("RGB", (64, 64))
                    scenes.append(thumbnail(image))
        for one, other in itertools.combinations(scenes, 2):
            assert np.abs(one - other).mean() > 8


def test_the_empty_image_has_no_bytes(default_set):
    assert broken_content(default_set, "empty") == [b""]


def test_the_text_named_jpg_is_no_image(default_set):
    (content,) = broken_content(default_set, "not_an_image")
    assert content.decode().startswith("To buy")
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(content))


def test_the_truncated_images_open_and_end_within_the_pixels(default_set):
    formats = set()
    for content in broken_content(default_set, "truncated"):
        with Image.open(io.BytesIO(content)) as image:
            formats.add(image.format)
            with pytest.raises(OSError, match="truncated"):
                image.load()
    assert formats == {"JPEG", "PNG"}


def test_the_bomb_is_tiny_and_claims_a_gigantic_picture(default_set, monkeypatch):
    (content,) = broken_content(default_set, "too_large")
    assert len(content) < 10_000
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100_000_000)
    with pytest.raises(Image.DecompressionBombError, match="1600000000 pixels"):
        Image.open(io.BytesIO(content))


@pytest.mark.parametrize("broken", BROKEN_IMAGES, ids=lambda broken: broken.path)
def test_a_broken_image_is_rejected_for_the_reason_it_names(default_set, broken):
    with pytest.raises(ImageRejected) as rejected:
        decode_image((default_set / broken.path).read_bytes(), size_px=224, limits=ImageLimits())
    assert rejected.value.reason == broken.reason


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(tmp_path):
    first = draw_samples(tmp_path / "a", images_per_label=3, seed=5)
    second = draw_samples(tmp_path / "b", images_per_label=3, seed=5)
    assert first == second
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_another_seed_gives_other_pixels_under_the_same_names(tmp_path):
    draw_samples(tmp_path / "a", images_per_label=1, seed=0)
    draw_samples(tmp_path / "b", images_per_label=1, seed=1)
    a, b = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert a.keys() == b.keys()
    assert not [shot.path for shot in plan_shots(1) if a[shot.path] == b[shot.path]]


def test_an_image_does_not_depend_on_how_many_are_drawn(default_set, tmp_path):
    draw_samples(tmp_path / "images", images_per_label=2)
    whole = contents(default_set)
    small = contents(tmp_path / "images")
    assert {path: whole[path] for path in images_of(tmp_path / "images")} == {
        path: digest for path, digest in small.items() if path != MARKER_NAME
    }


def test_a_phone_photograph_is_encoded_alike_twice():
    shot = next(shot for shot in SHOTS if shot.width * shot.height > 12_000_000)
    assert encode_shot(shot, 3) == encode_shot(shot, 3)


def refuse_to_draw(shot: SampleShot, seed: int) -> bytes:
    raise AssertionError(f"{shot.path} was drawn again")


def test_a_second_call_draws_nothing(tmp_path, monkeypatch):
    first = draw_samples(tmp_path, images_per_label=1)
    (tmp_path / ".DS_Store").write_bytes(b"left by a desktop")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    monkeypatch.setattr(samples, "encode_shot", refuse_to_draw)
    assert draw_samples(tmp_path, images_per_label=1) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("options", [{"seed": 1}, {"images_per_label": 2}])
def test_a_set_for_other_arguments_is_refused_untouched(tmp_path, options):
    draw_samples(tmp_path, images_per_label=1)
    before = contents(tmp_path)
    with pytest.raises(SamplesError, match="is not empty and differs from the sample images"):
        draw_samples(tmp_path, **{"images_per_label": 1, **options})
    assert contents(tmp_path) == before


def add_an_image(folder: Path) -> None:
    (folder / "kiwi" / "mine.jpg").write_bytes(b"mine")


def remove_an_image(folder: Path) -> None:
    (folder / "kiwi" / "IMG_0001.jpg").unlink()


def shorten_an_image(folder: Path) -> None:
    (folder / "kiwi" / "IMG_0001.jpg").write_bytes(b"short")


@pytest.mark.parametrize("change", [add_an_image, remove_an_image, shorten_an_image])
def test_a_set_that_someone_changed_is_refused_untouched(tmp_path, change):
    draw_samples(tmp_path, images_per_label=1)
    change(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(SamplesError, match="give a new or an empty folder"):
        draw_samples(tmp_path, images_per_label=1)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["thesis.txt", ".hidden", MARKER_NAME])
@pytest.mark.parametrize("text", ["mine", "[1]"])
def test_a_foreign_folder_is_refused_untouched(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    before = contents(tmp_path)
    with pytest.raises(
        SamplesError, match=r"is not empty and differs from the sample images.*give a new"
    ):
        draw_samples(tmp_path, images_per_label=1)
    assert contents(tmp_path) == before


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    place = tmp_path / "images"
    place.write_text("mine")
    with pytest.raises(SamplesError, match="is a file, but the sample images need a folder"):
        draw_samples(place, images_per_label=1)
    assert place.read_text() == "mine"


def test_an_empty_folder_is_used(tmp_path):
    draw_samples(tmp_path, images_per_label=1)
    assert (tmp_path / MARKER_NAME).is_file()


@pytest.fixture
def interrupted(tmp_path, monkeypatch):
    """Return a folder where drawing stopped after seven images."""
    drawn = itertools.count()

    def stop_at_the_eighth(shot, seed):
        if next(drawn) == 7:
            raise KeyboardInterrupt
        return encode_shot(shot, seed)

    with monkeypatch.context() as patched:
        patched.setattr(samples, "encode_shot", stop_at_the_eighth)
        with pytest.raises(KeyboardInterrupt):
            draw_samples(tmp_path / "images", images_per_label=1)
    assert len(images_of(tmp_path / "images")) == 7
    return tmp_path / "images"


def test_an_interrupted_set_is_drawn_again(interrupted, tmp_path):
    (interrupted / "açaí" / "IMG_0001.jpg").write_bytes(b"half an ima")
    draw_samples(interrupted, images_per_label=1)
    draw_samples(tmp_path / "at once", images_per_label=1)
    assert contents(interrupted) == contents(tmp_path / "at once")


def test_an_interrupted_set_with_a_foreign_file_is_refused_untouched(interrupted):
    add_an_image(interrupted)
    before = contents(interrupted)
    with pytest.raises(SamplesError, match="is not empty and differs from the sample images"):
        draw_samples(interrupted, images_per_label=1)
    assert contents(interrupted) == before


def test_an_interrupted_set_is_not_mixed_with_another_seed(interrupted):
    before = contents(interrupted)
    with pytest.raises(SamplesError, match="seed 9"):
        draw_samples(interrupted, images_per_label=1, seed=9)
    assert contents(interrupted) == before


def test_a_full_disk_is_told_in_one_sentence(tmp_path, monkeypatch):
    def no_space(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", no_space)
    with pytest.raises(SamplesError, match=r"cannot write .*No space left on device.*choose"):
        draw_samples(tmp_path / "images", images_per_label=1)


@pytest.mark.parametrize("count", [0, -3])
def test_fewer_than_one_image_per_label_is_refused(tmp_path, count):
    with pytest.raises(SamplesError, match=f"images_per_label is {count}, but .* at least 1"):
        draw_samples(tmp_path / "images", images_per_label=count)
    assert not (tmp_path / "images").exists()


def test_a_negative_seed_is_refused(tmp_path):
    with pytest.raises(SamplesError, match="seed is -1, but must be 0 or more"):
        draw_samples(tmp_path / "images", seed=-1)
    assert not (tmp_path / "images").exists()


def test_calibration_takes_drawn_photographs_evenly_over_the_labels():
    pixels = calibration_pixels(64)
    assert (pixels.shape, pixels.dtype) == ((N_CALIBRATION_IMAGES, 64, 64, 3), np.uint8)
    assert len({image.tobytes() for image in pixels}) == N_CALIBRATION_IMAGES
    # One round over all labels comes before the next.
    one_round = calibration_pixels(64, n_images=len(LABELS))
    np.testing.assert_array_equal(pixels[: len(LABELS)], one_round)


def test_calibration_takes_the_same_photographs_every_time_and_others_for_another_seed():
    first, again = (calibration_pixels(32, n_images=12) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (calibration_pixels(32, n_images=12, seed=1) != first).any(axis=(1, 2, 3)).all()
