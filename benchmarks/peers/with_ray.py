"""The same work with Ray Data: an actor for each core, batches of paths, Parquet.

It runs in an interpreter that has Ray.  The actors read the files themselves: what
``read_binary_files`` reads passes through Ray's store of objects, and the whole took no less time.
"""

import tempfile
from importlib import import_module
from typing import Any

from benchmarks.peers.job import BATCH_SIZE, Job
from benchmarks.plain_featurizer import PlainFeaturizer

# Another interpreter has it: the types of this project's own know nothing of it.
ray: Any = import_module("ray")
ray_data: Any = import_module("ray.data")

# Of a core that Ray counts; no more than one thread is at work in it.  Actors that hold all cores
# leave none to the tasks that write, which then begin when the last actor is done.
_CPUS_OF_ACTOR = 0.5


class RayFeaturizer:
    """One network in each actor."""

    def __init__(self, model: str) -> None:
        self._network = PlainFeaturizer(model)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Map a batch of paths to paths and features."""
        return {"path": batch["path"], "features": self._network.featurize_batch(batch["path"])}


def featurize(job: Job) -> None:
    """Write ``path`` and ``features``."""
    photographs = ray_data.from_items([{"path": path} for path in job.paths])
    photographs.map_batches(
        RayFeaturizer,
        fn_constructor_args=(job.model,),
        batch_size=BATCH_SIZE,
        compute=ray_data.ActorPoolStrategy(size=job.n_processes),
        num_cpus=_CPUS_OF_ACTOR,
    ).write_parquet(job.output)


def main() -> None:
    """Featurize on a Ray that starts and ends with this process."""
    job = Job.from_command_line("with_ray", __doc__)
    # The folder of its sockets, whose paths may have 107 bytes: not below the output.
    with tempfile.TemporaryDirectory(prefix="ray") as folder:
        ray.init(num_cpus=job.n_processes, include_dashboard=False, _temp_dir=folder)
        try:
            featurize(job)
        finally:
            ray.shutdown()


if __name__ == "__main__":
    main()
