"""The k nearest rows by scikit-learn's brute force on one thread: of a folder with the files x and y, rows of d float32."""

import json
import sys
import time

import numpy as np
from sklearn.neighbors import NearestNeighbors

folder, d, k = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
x, y = (np.fromfile(f"{folder}/{name}", dtype=np.float32).reshape(-1, d) for name in "xy")
search = NearestNeighbors(n_neighbors=k, algorithm="brute", n_jobs=1).fit(y)
search.kneighbors(x[:100])
start = time.perf_counter()
_, indices = search.kneighbors(x)
ms = 1000 * (time.perf_counter() - start)
json.dump({"ms": ms, "indices": indices.ravel().tolist()}, sys.stdout)
