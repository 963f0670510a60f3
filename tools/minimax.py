#!/usr/bin/env python3
"""Regenerates the constant tables of assembly/math (needs mpmath): python3 tools/minimax.py

Each polynomial is the minimax one for a weighted error: Remez' exchange on a grid, then one coefficient after another,
the lowest first, is rounded to the type and the rest is fitted again, so that the errors of rounding are absorbed.
The last line of a table gives the error of the rounded polynomial in units of u = 2^-p: relative to the function for
log; for exp, u where e^r < 1 and 2u above, which is one ULP.
"""
import struct
from mpmath import mp, mpf, mpmathify, atanh, cos, exp, expm1, floor, lu_solve, log, log1p, matrix, nint, pi, sqrt

mp.prec = 200
LN2 = log(2)
GRID = 500

PRECISION = {"F32": 24, "F64": 53}


def rounded(x, bits):
    """x to the nearest number of so many significant bits."""
    with mp.workprec(bits):
        return +mpmathify(x)


def exchange(xs, f, w, degree):
    """The polynomial p of least max |w·(f − p)| on the ascending grid xs; f and w (> 0) are given by their values."""
    count = degree + 2
    at = [round(i * (len(xs) - 1) / (count - 1)) for i in range(count)]
    while True:
        # w·(f − p) = ± level, alternating, at the reference points
        rows = [[w[i] * xs[i] ** j for j in range(degree + 1)] + [(-1) ** k] for k, i in enumerate(at)]
        *p, level = lu_solve(matrix(rows), matrix([w[i] * f[i] for i in at]))
        e = [wi * (fi - mp.polyval(p[::-1], x)) for x, fi, wi in zip(xs, f, w)]
        if max(map(abs, e)) <= abs(level) * mpf("1.0001"):
            return p
        # the largest error of each run of one sign; then the smallest go, in pairs inside so that signs still alternate
        peaks = [0]
        for i in range(1, len(xs)):
            if (e[i] > 0) != (e[peaks[-1]] > 0):
                peaks.append(i)
            elif abs(e[i]) > abs(e[peaks[-1]]):
                peaks[-1] = i
        while len(peaks) > count:
            size = [abs(e[i]) for i in peaks]
            least = size.index(min(size))
            if least in (0, len(peaks) - 1) or len(peaks) == count + 1:
                peaks.pop(0 if size[0] < size[-1] else -1)
            else:
                first = least - 1 if size[least - 1] < size[least + 1] else least
                del peaks[first : first + 2]
        at = peaks


def minimax(f, weight, low, high, degree, bits):
    """Coefficients of so many bits, lowest first, and max |weight·(f − p)|."""
    xs = [(low + high) / 2 - (high - low) / 2 * cos(pi * (i + mpf(1) / 2) / GRID) for i in range(GRID)]
    fs, ws = [f(x) for x in xs], [abs(weight(x)) for x in xs]
    p = []
    for k in range(degree + 1):
        rest = [(fi - mp.polyval(p[::-1] or [0], x)) / x**k for x, fi in zip(xs, fs)]
        p.append(rounded(exchange(xs, rest, [w * abs(x) ** k for x, w in zip(xs, ws)], degree - k)[0], bits))
    return p, max(w * abs(fi - mp.polyval(p[::-1], x)) for x, fi, w in zip(xs, fs, ws))


def show(name, entries, error):
    """One table in the form of the sources: (comment, value) or (comment, bit pattern) a line."""
    wide = name.endswith("F64")
    print(f"const {name} = memory.data<u{64 if wide else 32}>([")
    for comment, value in entries:
        if not isinstance(value, int):
            number = float(value)
            assert number == value, comment
            value = struct.unpack("<Q", struct.pack("<d", number))[0] if wide else struct.unpack("<I", struct.pack("<f", number))[0]
            mantissa, exponent = number.hex().split("p")
            comment += f" = {mantissa.rstrip('0').rstrip('.')}p{exponent}"
        print(f"  0x{value:0{16 if wide else 8}x}, // {comment}")
    print(f"]); // {float(error * 2 ** PRECISION[name[-3:]]):.2g} u\n")


def ln2(p, head_bits):
    head = mpf(int(floor(LN2 * 2**head_bits))) / 2**head_bits
    return [(f"ln 2, {head_bits} bits", head), ("ln 2, the rest", rounded(LN2 - head, p))]


def tables(dtype, exp_degree, log_degree, head_bits, largest, lowest, highest):
    """`largest` is the largest exponent, 127 or 1023; `lowest` and `highest` clamp exp."""
    p = PRECISION[dtype]
    field = p - 1  # bits below the exponent

    # e^r = 1 + r + r²·q(r); the error in ULP of e^r rather than relative: below 1 they are half as large
    half = LN2 / 2 * mpf("1.0001")  # n is rounded from an inexact product
    q, error = minimax(lambda r: (expm1(r) - r) / r**2, lambda r: r**2 * (1 if r < 0 else mpf(1) / 2), -half, half, exp_degree - 2, p)
    show(f"EXP_{dtype}", [
        ("log2 e", rounded(1 / LN2, p)),
        ("the rounding constant", mpf(3) * 2 ** (p - 2)),
        *ln2(p, head_bits),
        ("e^x rounds to 0", mpf(lowest)), ("e^x overflows", mpf(highest)),
        ("one", mpf(1)), ("the sign", 1 << (31 if p == 24 else 63)),
        *((f"q{i}", c) for i, c in enumerate(q)),
    ], error)

    low, high = sqrt(mpf(1) / 2) - 1, sqrt(mpf(2)) - 1
    if dtype == "F32":  # log(1 + r) = r − r²/2 + r³·Q(r)
        c, error = minimax(lambda r: (log1p(r) - r + r**2 / 2) / r**3, lambda r: r**3 / log1p(r), low, high, log_degree, p)
    else:  # log(1 + r) = r − r²/2 + s·(r²/2 + z·Q(z)),  s = r/(2 + r),  z = s²
        c, error = minimax(lambda z: (2 * atanh(sqrt(z)) / sqrt(z) - 2) / z, lambda z: z / 2, mpf(0), (high / (2 + high)) ** 2, log_degree, p)
    one = largest << field
    root = int(nint((sqrt(mpf(1) / 2) * 2 - 1) * 2**field)) + one - (1 << field)
    show(f"LOG_{dtype}", [
        ("the smallest normal number", mpf(2) ** (1 - largest)),
        (f"2^{p}, to scale subnormals", mpf(2) ** p),
        (f"2^{field}, or-ed to the exponent field", mpf(2) ** field),
        (f"2^{field} + {largest}", mpf(2) ** field + largest),
        (f"2^{field} + {largest} + {p}", mpf(2) ** field + largest + p),
        ("sqrt(1/2)", root), ("1 - sqrt(1/2), of the bit patterns", one - root), ("the fraction", (1 << field) - 1),
        (f"2^{largest}", mpf(2) ** largest), ("half", mpf(1) / 2), ("two", mpf(2)),
        ("+inf", (2 * largest + 1) << field), ("-inf", (4 * largest + 3) << field),
        *((f"c{i}", v) for i, v in enumerate(c)),
    ], error)

    # log((1 + s)/(1 − s)) = 2s + s·z·Q(z), z = s²; the weight is what the term of gap.ts makes of Q's error
    high, terms, weight = (mpf("0.1125"), 4, lambda z: sqrt(z) / 2 + mpf("0.01")) if dtype == "F32" else (mpf("0.0401"), 7, lambda z: z + mpf("0.001"))
    c, error = minimax(lambda z: (2 * atanh(sqrt(z)) / sqrt(z) - 2) / z, weight, mpf(0), high, terms - 1, p)
    up = ("half a step of the exponent", 1 << (field - 1)) if dtype == "F64" else ("all but one of a step of the exponent", (1 << field) - 1)
    show(f"GAP_{dtype}", [
        up,
        ("the exponent, with the sign", (1 << (p + (8 if p == 24 else 11))) - (1 << field)),
        ("ln 2 by the bits below", rounded(LN2 / mpf(2) ** (23 if p == 24 else 20), p)),
        ("the smallest normal number", mpf(2) ** (1 - largest)),
        *((f"q{i}", v) for i, v in enumerate(c)),
    ], error)


def short_table():
    """e^r = 1 + r + r²·q(r) in f64 for f32 data: the error relative to q, so that e^r − 1 − r keeps its digits too; in u of f32."""
    half = LN2 / 2 * mpf("1.0001")
    q, error = minimax(lambda r: (expm1(r) - r) / r**2, lambda r: 2 * exp(-r / 3), -half, half, 5, 53)
    show("SHORT_F64", [("e^x is less than 2^-1021", mpf(-708)), ("ln 2", rounded(LN2, 53)), *((f"q{i}", c) for i, c in enumerate(q))], error / mpf(2) ** 29)


def short_log_table():
    """log((1 + s)/(1 − s)) = s·(2 + z·q(z)), z = s², in f64 for f32 data: the error relative to it, in u of f32."""
    high = (1 - 1 / sqrt(mpf(2))) ** 2 / (1 + 1 / sqrt(mpf(2))) ** 2 * mpf("1.001")
    q, error = minimax(lambda z: (2 * atanh(sqrt(z)) / sqrt(z) - 2) / z, lambda z: z / 2 + mpf("0.0001"), mpf(0), high, 3, 53)
    show("LOG_SHORT_F64", [("ln 2", rounded(LN2, 53)), ("2", mpf(2)), *((f"q{i}", c) for i, c in enumerate(q))], error / mpf(2) ** 29)


short_table()
short_log_table()
tables("F32", exp_degree=6, log_degree=7, head_bits=13, largest=127, lowest=-104, highest=89)
tables("F64", exp_degree=11, log_degree=6, head_bits=40, largest=1023, lowest=-746, highest=710)
