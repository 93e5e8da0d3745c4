"""The table of instance types, over all of it."""

import pytest

from cdk_app.instances import Architecture, InstanceType

FAMILIES = ("c7g", "m6g", "m7g", "r7g", "c6i", "m6i", "m7i", "r6i")
SIZES = ("xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")
NAMES = [f"{family}.{size}" for family in FAMILIES for size in SIZES]


def test_every_name_is_read_back():
    assert [InstanceType.parse(name).name for name in NAMES] == NAMES


# From AWS's own table of instance types.
@pytest.mark.parametrize(
    ("name", "n_vcpus", "memory_gib"),
    [
        ("c7g.xlarge", 4, 8),
        ("m6g.4xlarge", 16, 64),
        ("m7g.xlarge", 4, 16),
        ("r7g.2xlarge", 8, 64),
        ("c6i.12xlarge", 48, 96),
        ("m6i.8xlarge", 32, 128),
        ("m7i.16xlarge", 64, 256),
        ("r6i.xlarge", 4, 32),
    ],
)
def test_vcpus_and_memory_are_those_that_aws_gives(name, n_vcpus, memory_gib):
    instance_type = InstanceType.parse(name)
    assert (instance_type.n_vcpus, instance_type.memory_mib) == (n_vcpus, memory_gib * 1024)


def test_graviton_is_arm64_and_the_rest_is_x86():
    for name in NAMES:
        # AWS ends the names of its own processors with a g.
        is_graviton = name.partition(".")[0].endswith("g")
        wanted = Architecture.ARM64 if is_graviton else Architecture.X86_64
        assert InstanceType.parse(name).architecture is wanted


def test_a_stand_in_has_the_same_vcpus_memory_and_architecture():
    for asked in map(InstanceType.parse, NAMES):
        assert asked.equivalents[0] == asked
        assert len(set(asked.equivalents)) == len(asked.equivalents)
        facts = {(each.n_vcpus, each.memory_mib, each.architecture) for each in asked.equivalents}
        assert facts == {(asked.n_vcpus, asked.memory_mib, asked.architecture)}


def test_the_general_purpose_types_stand_in_for_each_other():
    names = {each.name for each in InstanceType.parse("m7g.xlarge").equivalents}
    assert names == {"m7g.xlarge", "m6g.xlarge"}


@pytest.mark.parametrize("name", ["", ".", "m7g", "m7g.", "m7g.large", "m7gd.xlarge", "xlarge"])
def test_other_names_are_refused_with_what_is_allowed(name):
    with pytest.raises(ValueError, match=r"c7g, m6g.*such as m7g\.xlarge"):
        InstanceType.parse(name)
