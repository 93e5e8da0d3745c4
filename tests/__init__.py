"""The tests; see ``make test``."""

import os

# Before numpy is imported, here and in every process that a test starts: threads of the linear
# algebra wait for each other, and beside a second process of tests on two cores they take five
# times as long as one alone.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
