"""Spark's S3 connector for the rehearsal: jars from Maven Central, cached, never committed."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.conftest import skip_or_fail

_POM = Path(__file__).parent / "s3a" / "pom.xml"
_CACHE = Path(__file__).resolve().parents[2] / "build" / "s3a"
# Spark has these in versions of its own, which two of one class would hide.
_OF_SPARK = (
    "commons-codec",
    "commons-logging",
    "httpclient",
    "httpcore",
    "io.netty",
    "log4j",
    "org.slf4j",
    "reload4j",
)


def s3_connector() -> Path:
    """Return the folder of jars; skip where Maven or its repository cannot be had."""
    jars = _CACHE / hashlib.sha256(_POM.read_bytes()).hexdigest()[:16]
    if (jars / "complete").is_file():
        return jars
    if shutil.which("mvn") is None:
        skip_or_fail("there is no mvn; install it with: sudo apt-get install maven")
    shutil.rmtree(jars, ignore_errors=True)
    done = subprocess.run(
        [
            "mvn", "--batch-mode", "--quiet", "--file", str(_POM), "dependency:copy-dependencies",
            f"-DoutputDirectory={jars}", f"-DexcludeGroupIds={','.join(_OF_SPARK)}",
            f"-DexcludeArtifactIds={','.join(_OF_SPARK)}",
        ],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        skip_or_fail(f"Maven Central cannot be reached: {done.stdout[-500:]}")
    (jars / "complete").touch()
    return jars
