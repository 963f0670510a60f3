#!/usr/bin/env python3
"""What the terms of assembly/math/gap.ts err by at worst, in u of themselves: python3 tools/roundings.py

To first order and as if all roundings conspired: the formula is evaluated operation by operation, each with the derivative of
its result by every rounding before it, and the absolute values of these are added. What is exact is not counted: a difference of
numbers within a factor of two, products with powers of two, and what is 0. The error of the polynomial comes on top: half a unit.
assembly/divergence/bound.ts uses what this prints.
"""
from math import exp, floor, log, log2, trunc

SERIES = {"f32": ("0x1.55552ep-1", "0x1.99bff2p-2", "0x1.1fc752p-2", "0x1.1a3a1cp-2"),
          "f64": ("0x1.555555555569dp-1", "0x1.999999991aca8p-2", "0x1.2492499b152ap-2", "0x1.c71c0d69be10fp-3",
                  "0x1.7473447bfd40bp-3", "0x1.386ea81a87405p-3", "0x1.3a01557d73856p-3")}


class Number:
    """A value and, for every rounding that it depends on, its derivative by that."""

    count = 0

    def __init__(self, value, by=None):
        self.value, self.by = value, by or {}

    def combined(self, value, mine, other, theirs):
        by = {k: mine * d for k, d in self.by.items()}
        for k, d in other.by.items():
            by[k] = by.get(k, 0.0) + theirs * d
        return Number(value, by)

    def __add__(self, other):
        return self.combined(self.value + other.value, 1.0, other, 1.0)

    def __sub__(self, other):
        return self.combined(self.value - other.value, 1.0, other, -1.0)

    def __mul__(self, other):
        return self.combined(self.value * other.value, other.value, other, self.value)

    def __truediv__(self, other):
        return self.combined(self.value / other.value, 1 / other.value, other, -self.value / other.value**2)

    def rounded(self, exact=False):
        if not exact and self.value:
            Number.count += 1
            self.by[Number.count] = self.by.get(Number.count, 0.0) + self.value
        return self

    def error(self):
        return sum(map(abs, self.by.values()))


def near(a, b):
    return a.value == 0 or 0.5 <= b.value / a.value <= 2


class Gap:
    def __init__(self, dtype, fused):
        self.dtype, self.fused = dtype, fused
        self.series = [Number(float.fromhex(q)) for q in SERIES[dtype]]

    def madd(self, a, b, c):
        return ((a * b).rounded(self.fused) + c).rounded()

    def nmadd(self, a, b, c):
        return (c - (a * b).rounded(self.fused)).rounded()

    def polynomial(self, z):
        q = self.series
        if self.dtype == "f32":
            return self.madd(self.madd(self.madd(q[3], z, q[2]), z, q[1]), z, q[0])
        z2 = (z * z).rounded()
        pair = [self.madd(q[i + 1], z, q[i]) for i in (0, 2, 4)]
        return self.madd(self.madd(self.madd(q[6], z2, pair[2]), z2, pair[1]), z2, pair[0])

    def steps(self, p, q):
        """n, as the bit patterns have it: log2 with a straight line between powers of two."""
        line = lambda x: floor(log2(x)) + x / 2.0 ** floor(log2(x)) - 1
        difference = line(q.value) - line(p.value)
        return trunc(difference) if self.dtype == "f32" else floor(difference + 0.5)

    def __call__(self, p, q, diff, direct):
        n = self.steps(p, q)
        m = p * Number(2.0**n)
        c = (m - p).rounded(n in (-1, 0, 1))
        d = (q - m).rounded(near(q, m)) if direct else (diff - c).rounded(n == 0)
        s = (d / (q + m).rounded()).rounded()
        z = (s * s).rounded()
        log2s = (Number(float(n)) * Number(log(2), {0: 0.05 * log(2)})).rounded(abs(n) in (0, 1, 2, 4, 8, 16, 32, 64))
        inner = self.nmadd(p, (z * self.polynomial(z)).rounded(), (d + (c + c)).rounded(n == 0))
        return self.madd(s, inner, self.nmadd(p, log2s, c)) if n else (s * inner).rounded()

    def kl(self, a, b):
        p, q = Number(a), Number(b)
        return self(p, q, (q - p).rounded(near(p, q)), True)

    def js(self, a, b, scaled):
        p, q = Number(a), Number(b).rounded(not scaled)
        diff = Number(b - a).rounded() if scaled else (q - p).rounded(near(p, q))
        both = (p + q).rounded()
        two = Number(2.0)
        return self(p * two, both, diff, False) + self(q * two, both, Number(0.0) - diff, False)


def worst(term):
    found = (0.0, 0.0, 0.0)
    for p in (1.0, 1.3, 1.99):
        for i in range(-3000, 3001):
            ratio = exp(i / 250)
            if abs(i) > 4:  # nearer to 1 the roundings are the same, and this arithmetic has none to spare
                Number.count = 0
                result = term(p, p * ratio)
                found = max(found, (result.error() / result.value, ratio, p))
    return f"{found[0]:6.2f} u at q/p = {found[1]:.4g}, p = {found[2]}"


if __name__ == "__main__":
    for dtype in ("f32", "f64"):
        for fused in (False, True):
            gap = Gap(dtype, fused)
            name = f"{dtype} {'fused' if fused else 'base':5}"
            print(f"{name}  KL         {worst(gap.kl)}")
            print(f"{name}  JS         {worst(lambda a, b: gap.js(a, b, False))}")
            print(f"{name}  JS scaled  {worst(lambda a, b: gap.js(a, b, True))}")
