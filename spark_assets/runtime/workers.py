"""Housekeeping of a Python worker, which Spark keeps from one task to the next.

Between tasks a PySpark worker invalidates every import cache and collects all garbage.  With the
libraries of this project loaded, the two cost a tenth of a second of CPU per task, as much as fifty
images; a profile of the worker shows nothing else.
"""

import gc
import sys
import zipimport


def forget_zip_directories() -> None:
    """Drop the cached importers of zip files, so that their directories are not read again.

    From Python 3.10 on, invalidating the caches reads the directory of every zip on the path:
    those of PySpark have thousands of entries.  An importer is made anew when an import needs it.
    """
    for path, importer in list(sys.path_importer_cache.items()):
        if isinstance(importer, zipimport.zipimporter):
            del sys.path_importer_cache[path]


def freeze_what_is_loaded() -> None:
    """Keep the garbage collector from visiting modules and the engine: they stay to the end."""
    gc.collect()
    gc.freeze()
