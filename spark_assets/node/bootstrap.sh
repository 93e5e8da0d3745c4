#!/bin/bash
# The bootstrap action of EMR: what the jobs import, installed on a node that has no Internet.
#
#   bootstrap.sh S3_URI SHA256 REGION      of the file that `fruits build-artifacts` makes
#
# It leaves a virtual environment in /opt/fruits, or where FRUITS_PREFIX says.  It runs before EMR
# installs Spark, whose pyspark is not in there: spark-submit puts that on PYTHONPATH.
set -euo pipefail
umask 022 # the jobs run as other users than the one who installs

fail() {
  echo "bootstrap: $1" >&2
  exit 1
}

if [[ $# -ne 3 || $1 != s3://?*/?* || ! $2 =~ ^[0-9a-f]{64}$ || ! $3 =~ ^[a-z0-9-]+$ ]]; then
  echo "usage: bootstrap.sh S3_URI SHA256 REGION, got: $*" >&2
  exit 2
fi
uri=$1
digest=$2
region=$3
prefix=${FRUITS_PREFIX:-/opt/fruits}
parent=$(dirname "$prefix")
stamp=$prefix/wheelhouse.sha256
work=
unfinished=

# All nodes ask their metadata service for credentials at a time; once and for a second is too little.
export AWS_METADATA_SERVICE_NUM_ATTEMPTS=10 AWS_METADATA_SERVICE_TIMEOUT=5

as_root() {
  if [[ $EUID -eq 0 ]]; then "$@"; else sudo -n "$@"; fi
}

# Run what writes to the prefix: as root only where this user may not.
to_prefix() {
  if [[ -w $parent ]]; then "$@"; else as_root "$@"; fi
}

clean_up() {
  [[ -z $work ]] || rm -rf "$work"
  [[ -z $unfinished ]] || to_prefix rm -rf "$prefix"
}
trap clean_up EXIT

if [[ -f $stamp && $(<"$stamp") == "$digest" ]]; then
  echo "bootstrap: $prefix holds $uri already"
  exit 0
fi
[[ -d $parent ]] || fail "$prefix cannot be made, because $parent does not exist; make it, or set another FRUITS_PREFIX"
if [[ -e $prefix && ! -f $prefix/pyvenv.cfg ]]; then
  fail "$prefix exists and is no virtual environment, so it is left as it is; set another FRUITS_PREFIX"
fi

python_from="the image"
# python3 is 3.9 on Amazon Linux 2023, whose package repository is in S3 and can be reached.
if ! command -v python3.11 >/dev/null; then
  python_from=dnf
  as_root dnf -y -q install python3.11 || true
  command -v python3.11 >/dev/null ||
    fail "python3.11 is missing and dnf could not install it (its own message is above); let the S3 endpoint reach the Amazon Linux repository, or use an image that has it"
fi
echo "bootstrap: python3.11 comes from $python_from"

work=$(mktemp -d)
wheelhouse=$work/wheelhouse.tar.gz
# Without a region the request goes to an address of S3 that the gateway endpoint does not lead to.
aws s3 cp --region "$region" --only-show-errors "$uri" "$wheelhouse" ||
  fail "$uri cannot be downloaded; check that it is there, and that the instance profile and the S3 endpoint allow it"
actual=$(sha256sum "$wheelhouse")
actual=${actual%% *}
[[ $actual == "$digest" ]] ||
  fail "the sha256 of $uri is $actual and not $digest; upload the file that fruits build-artifacts made, and give its digest"
tar -xzf "$wheelhouse" -C "$work" --no-same-owner ||
  fail "$uri cannot be unpacked; check the space in ${TMPDIR:-/tmp}, or make the file anew with fruits build-artifacts"

unfinished=yes
to_prefix rm -rf "$prefix"
to_prefix python3.11 -m venv "$prefix" ||
  fail "no virtual environment can be made in $prefix; check its space and that python3.11 has the module venv"
# Isolated from settings of the machine: all comes from the wheelhouse or not at all.
to_prefix "$prefix/bin/python" -I -m pip --isolated install --quiet --disable-pip-version-check \
  --no-cache-dir --no-index --find-links "$work/wheels" --require-hashes -r "$work/requirements.txt" ||
  fail "pip could not install $uri in $prefix; its own message is above: make the file anew for this architecture ($(uname -m)) with fruits build-artifacts"
"$prefix/bin/python" -I -c '
import importlib, sys
for name in open(sys.argv[1]).read().split():
    importlib.import_module(name)
' "$work/modules.txt" ||
  fail "a module of $uri cannot be imported in $prefix; its own message is above: add what it misses to the group node in pyproject.toml, then make lock and fruits build-artifacts"
echo "$digest" | to_prefix tee "$stamp" >/dev/null
unfinished=
echo "bootstrap: installed $uri in $prefix"
