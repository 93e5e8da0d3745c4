import os
import sys
from pathlib import Path

# Importing aws_cdk starts Node: the one that is pinned, which lies beside this Python.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
