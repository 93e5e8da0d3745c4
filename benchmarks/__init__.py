"""How fast: every figure of ``docs/benchmarks.md``, measured on one machine in one run."""
