"""The download of Keras' weights, against a small server on loopback instead of Keras' own."""

import base64
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from spark_assets.errors import FruitsError
from spark_assets.features import imagenet
from spark_assets.features.imagenet import WeightsNotAvailable, imagenet_weights
from spark_assets.features.weights import AUTO_TIMEOUT_S, FeatureModelRequest

CONTENT = b"weights " * 1000


class Server(ThreadingHTTPServer):
    content = CONTENT
    told_md5 = hashlib.md5(CONTENT).digest()
    n_requests = 0
    answer = threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        self.server.n_requests += 1
        self.server.answer.wait(30)
        self.send_response(200)
        self.send_header("x-goog-hash", "crc32c=AAAAAA==")
        self.send_header("x-goog-hash", f"md5={base64.b64encode(self.server.told_md5).decode()}")
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path) -> Iterator[Server]:
    started = Server(("127.0.0.1", 0), Handler)
    started.answer = threading.Event()
    started.answer.set()
    thread = threading.Thread(target=started.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setattr(imagenet, "_BASE_URL", f"http://127.0.0.1:{started.server_port}/")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    yield started
    started.answer.set()
    started.shutdown()
    thread.join()
    started.server_close()


def test_weights_are_downloaded_once_into_the_cache_of_keras(server, tmp_path):
    path = imagenet_weights(1.0, timeout_s=None)
    assert path.read_bytes() == CONTENT
    assert path.is_relative_to(tmp_path / "keras" / "models")
    assert imagenet_weights(1.0, timeout_s=None) == path
    assert server.n_requests == 1


def test_each_size_of_image_has_weights_of_its_own(server):
    assert imagenet_weights(1.0, 160, timeout_s=None).name.endswith("_1.0_160_no_top.h5")
    imagenet_weights(1.0, timeout_s=None)
    assert server.n_requests == 2


def test_images_larger_than_keras_has_weights_for_use_those_of_224(server):
    path = imagenet_weights(1.0, timeout_s=None)
    assert {imagenet_weights(1.0, size_px, timeout_s=None) for size_px in (256, 384)} == {path}
    assert server.n_requests == 1


def test_a_cached_file_that_has_changed_is_refused(server):
    path = imagenet_weights(1.0, timeout_s=None)
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(FruitsError, match=r"are damaged .* delete the file"):
        imagenet_weights(1.0, timeout_s=None)


def test_a_known_digest_is_checked_at_the_first_download(server):
    with pytest.raises(FruitsError, match="are damaged"):
        imagenet_weights(0.35, timeout_s=None)


def test_a_damaged_download_is_not_kept(server, tmp_path):
    server.told_md5 = bytes(16)
    with pytest.raises(WeightsNotAvailable, match="the download is damaged"):
        imagenet_weights(1.0, timeout_s=None)
    assert not list((tmp_path / "keras").rglob("*.h5"))
    assert not list((tmp_path / "keras").rglob("*.partial"))


def test_a_server_that_does_not_answer_is_given_up_in_time(server):
    server.answer.clear()  # it never comes, and the sentence is that of the deadline
    with pytest.raises(WeightsNotAvailable, match=r"no answer within 0\.2 s"):
        imagenet_weights(1.0, timeout_s=0.2)


def test_without_a_network_imagenet_is_a_sentence_with_the_other_ways(server, monkeypatch):
    server.shutdown()
    server.server_close()
    with pytest.raises(WeightsNotAvailable, match=r"give --weights PATH, or --weights auto"):
        FeatureModelRequest("imagenet", 1.0).obtain(verbose=False)


@pytest.mark.slow
def test_without_a_network_auto_goes_on_with_seeded_weights_and_says_so(server, seeded_model):
    server.shutdown()
    server.server_close()
    model = FeatureModelRequest("auto", 0.35).obtain(verbose=False)
    assert model.facts.weights == "seeded"
    assert "not ImageNet's" in str(model.facts.warning)


def test_auto_gives_up_within_ten_seconds():
    assert AUTO_TIMEOUT_S <= 10
