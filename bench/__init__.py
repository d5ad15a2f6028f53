"""Speed as ratios: each candidate against its yardstick, side by side in one run, on one thread.

`python -m bench` prints the tables and exits with 1 if a bar is broken. `python -m bench --cuda --record FILE`
measures on a GPU and writes the figures with their provenance; it needs only NumPy and PyTorch.

Why one bar is out of reach, and one on the edge
------------------------------------------------
In two runs on a machine with little else to do, a quarter of an hour apart, the geometric means were 1.28 and 1.37
against native, 0.51 and 0.50 against the textbook, 1.41 and 1.46 in eager mode, 1.10 and 1.08 compiled. Beside much
other work, which takes its share of the cache and of the memory's speed, they become 1.4, 0.55, 1.5 and 1.15. Figures
in nanoseconds for a float32 value, one thread, of a shared virtual machine (2 MiB of second-level cache, AVX-512). In
other minutes all of them double, those of fetching and storing most.

| step | ns |
|---|---|
| NumPy: multiply, add or subtract a piece in the second-level cache, in its place | 0.08 - 0.13 |
| its sums by BLAS; its sums of products by einsum, by dot | 0.04; 0.13 - 0.17; 0.06 |
| fetch an array from beyond that cache | 0.15 - 0.25 |
| store an array there (which fetches it first) | 0.2 - 0.7 |
| native batch norm, forward and backward | 1.8 - 2.3 for (N, C), 3 for maps |

*NumPy against native.* Native moves five arrays. `numpy_bn` moves the same five, and x_hat twice more (stored
forward, fetched backward), and its twelve operations cannot be fused: eight of them take 0.8 to 1.0 and the sums 0.4,
where native computes while it waits for memory. With every array hot, the four walks take 1.9 together; between other
work, which leaves the cache full of what has yet to be stored, 2.3 to 2.8. In each walk the dots come before the sums,
which then find their piece in the cache; the other order is up to a twentieth slower. A version that keeps x in the
cache instead of x_hat, and so needs ten operations, was measured at 1.06 (1.31, 0.87, 1.27, 0.92, 1.0). It was not
taken: the cache is (x_hat, inv_std, gamma), as the course's equations have it and its readers unpack it; and NumPy
does not notice, as PyTorch does, an x that is changed between forward and backward: the gradient would be wrong
without a word. Also measured, and no faster: panels of a few channels that see both walks while they lie in the cache
(of a matrix, NumPy takes 40 ns for each row of a panel; of maps, a bare loop gained a tenth at (8, 256, 14, 14) and
nothing at (32, 64, 28, 28), and the dozen vectors of each panel took it back), pieces of half or twice the size,
pieces of more samples and fewer channels for maps (an eighth slower), and copying into place what was computed in a
piece that stays in the cache. What Python and the vectors take, and no value of x needs, is 40 to 50 of the 165
microseconds at (64, 1024), and some 200 of 2500 at the large shapes, where their code has left the cache.

*Eager PyTorch.* Nine operations on whole tensors (0.2 - 0.3 a sum, 0.3 - 0.5 a product) are 3.0 to 3.5 and would be
2.0 times native. Products that are only added up are taken piece by piece, which brings matrices to 1.5; the other
operations gain nothing from that, as an operation on a small piece costs 1.5 microseconds more (the two of dx a tenth
slower). Sums as products with ones are a tenth faster over the whole and no faster piece by piece, and add up in
order: of a million rows they lose 3000 roundings where `sum` loses one. For maps, sums sample by sample and products
by `bmm` are no faster either. At (64, 1024) native takes 140 microseconds. Of ours, 40 are spent to enter and leave
a function of one's own that computes nothing, 30 on checks and running statistics, 70 on some twenty operations on
vectors, and 100 on x and dy.

*Compiled.* Statistics about the mean of the first samples need one walk over x where those about its mean need two,
which brought this from 1.24. At (64, 1024) it is 1.8, but PyTorch's own layer, compiled, is 1.65 times what it is
uncompiled: that is what a call of compiled code takes.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
