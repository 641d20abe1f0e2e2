"""The tests run on all cores, several processes at once: each computes in one thread, unless a test asks for more."""

import os

# before NumPy, OpenCV and torch are imported; what the tests start inherits it
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", OPENCV_FOR_THREADS_NUM="1")
