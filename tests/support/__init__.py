"""What the tests of several wings use.

It is imported before NumPy and TensorFlow: each process gets one thread, since the workers and the processes that tests
start fill the cores already. OpenBLAS and TensorFlow would start as many threads as cores, which wait for each other in
busy loops: looking for sick filters took six times the processor time.
"""

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(_name, "1")
