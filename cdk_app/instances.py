"""EC2 instance types that the cluster may use: a pure table, without a call to AWS."""

from dataclasses import dataclass
from enum import StrEnum


class Architecture(StrEnum):
    """Processor architecture, by the name that EC2 gives it."""

    ARM64 = "arm64"
    X86_64 = "x86_64"


# Family: architecture, and GiB of memory a vCPU. Local-disk families are left out: they cost more
# and the chain keeps nothing on disk.
_FAMILIES = {
    "c7g": (Architecture.ARM64, 2),
    "m6g": (Architecture.ARM64, 4),
    "m7g": (Architecture.ARM64, 4),
    "r7g": (Architecture.ARM64, 8),
    "c6i": (Architecture.X86_64, 2),
    "m6i": (Architecture.X86_64, 4),
    "m7i": (Architecture.X86_64, 4),
    "r6i": (Architecture.X86_64, 8),
}
# EMR takes no smaller ones of these families.
_VCPUS = {"xlarge": 4, "2xlarge": 8, "4xlarge": 16, "8xlarge": 32, "12xlarge": 48, "16xlarge": 64}


@dataclass(frozen=True, slots=True)
class InstanceType:
    """One EC2 instance type: ``family`` (such as m7g), ``size`` (such as xlarge)."""

    family: str
    size: str

    @classmethod
    def parse(cls, name: str) -> "InstanceType":
        """Return the instance type of a name such as ``m7g.xlarge``.

        Raises ValueError with the values allowed.
        """
        family, _, size = name.partition(".")
        if family not in _FAMILIES or size not in _VCPUS:
            raise ValueError(
                f"one of the families {', '.join(_FAMILIES)} with one of the sizes "
                f"{', '.join(_VCPUS)}, such as m7g.xlarge"
            )
        return cls(family, size)

    @property
    def name(self) -> str:
        return f"{self.family}.{self.size}"

    @property
    def architecture(self) -> Architecture:
        return _FAMILIES[self.family][0]

    @property
    def n_vcpus(self) -> int:
        return _VCPUS[self.size]

    @property
    def n_xlarges(self) -> float:
        """How many of the family's xlarge it is, in vCPUs and so in price."""
        return self.n_vcpus / _VCPUS["xlarge"]

    @property
    def memory_mib(self) -> int:
        return self.n_vcpus * _FAMILIES[self.family][1] * 1024

    @property
    def equivalents(self) -> tuple["InstanceType", ...]:
        """The type itself and those that may stand in for it: as many vCPUs, as much memory.

        Spot capacity is found sooner among several, and Spark's settings fit all of them.
        """
        others = (
            InstanceType(family, self.size)
            for family, facts in _FAMILIES.items()
            if family != self.family and facts == _FAMILIES[self.family]
        )
        return (self, *others)
