"""Counts and times on the command line, which is English; pages use `languages`."""


def counted(number: int, noun: str) -> str:
    """Return ``1 image`` or ``1,234 images``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def audited_of(n_audited: int, n_current: int, noun: str) -> str:
    """Return ``9 images``, or ``20,000 of 35,426 images (random sample)``."""
    if n_audited >= n_current:
        return counted(n_audited, noun)
    return f"{n_audited:,} of {counted(n_current, noun)} (random sample)"


def minutes(seconds: float) -> str:
    """Return a time as every line of a progress shows it: ``3 min 07 s``."""
    whole, rest = divmod(round(seconds), 60)
    return f"{whole} min {rest:02d} s"
