"""How fast: every figure of ``docs/explanation/benchmarks.md``, of one machine in one run."""
