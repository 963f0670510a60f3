/**
 * Vectors of 128 bits in the compiler's own notation, the same on x86 and ARM, and the elementary functions on them.
 * Four of them side by side, Lanes<4>, go through a function stage by stage: the chains of one are too long to keep a core busy.
 */
#pragma once
#include <cmath>
#include <type_traits>
#include <utility>

#define INLINE inline __attribute__((always_inline))

typedef float f4 __attribute__((vector_size(16)));
typedef int i4 __attribute__((vector_size(16)));
typedef double d2 __attribute__((vector_size(16)));
typedef float f2 __attribute__((vector_size(8), may_alias));
/** Where it need not begin at a multiple of 16. */
typedef float loose4 __attribute__((vector_size(16), aligned(4)));

/** f(0), f(1) … f(N − 1), written out: an array is in registers only where each of its indices is a constant. */
template <class F, int... U> INLINE void each(F f, std::integer_sequence<int, U...>) { (f(U), ...); }

template <int N> struct Lanes {
  f4 v[N];

  template <class F> static INLINE Lanes of(F f) {
    Lanes r;
    each([&](int u) __attribute__((always_inline)) { r.v[u] = f(u); }, std::make_integer_sequence<int, N>());
    return r;
  }
};

#define EACH(expression) Lanes<N>::of([&](int u) __attribute__((always_inline)) -> f4 { return expression; })
template <int N> INLINE Lanes<N> operator+(Lanes<N> a, Lanes<N> b) { return EACH(a.v[u] + b.v[u]); }
template <int N> INLINE Lanes<N> operator-(Lanes<N> a, Lanes<N> b) { return EACH(a.v[u] - b.v[u]); }
template <int N> INLINE Lanes<N> operator*(Lanes<N> a, Lanes<N> b) { return EACH(a.v[u] * b.v[u]); }
template <int N> INLINE Lanes<N> operator/(Lanes<N> a, Lanes<N> b) { return EACH(a.v[u] / b.v[u]); }
template <int N> INLINE Lanes<N> operator+(Lanes<N> a, float b) { return EACH(a.v[u] + b); }
template <int N> INLINE Lanes<N> operator-(Lanes<N> a, float b) { return EACH(a.v[u] - b); }
template <int N> INLINE Lanes<N> operator*(Lanes<N> a, float b) { return EACH(a.v[u] * b); }
template <int N> INLINE Lanes<N> operator/(float a, Lanes<N> b) { return EACH(a / b.v[u]); }
template <int N> INLINE Lanes<N> larger(Lanes<N> a, Lanes<N> b) { return EACH(a.v[u] > b.v[u] ? a.v[u] : b.v[u]); }

/** Whether it is as accurate as the package is: a polynomial of one degree more, sums in f64, and e^x summed in two parts. */
#ifdef ACCURATE
constexpr bool accurate = true;
#else
constexpr bool accurate = false;
#endif

/** e^x = power·(1 + r + r²·…) for x ≤ 0: power = 2ⁿ, n = round(x/ln 2), r = x − n·ln 2. */
template <int N> struct Reduced {
  Lanes<N> power, r, x;

  /** A part of e^x, or 0 where e^x is no normal number, or x is −∞. */
  INLINE Lanes<N> kept(Lanes<N> part) const { return EACH((f4)((i4)part.v[u] & (i4)(x.v[u] >= -0x1.5d589ep+6f))); }
};
template <int N> INLINE Reduced<N> reduced(Lanes<N> x) {
  // the last bits of n + magic are n + 127, an exponent where they are shifted up
  const float magic = 0x1.8p23f + 127;
  Lanes<N> biased = x * 0x1.715476p+0f + magic;
  Lanes<N> power = EACH((f4)((i4)biased.v[u] << 23));
  Lanes<N> n = biased - magic;
  Lanes<N> r = n * -0x1.62ep-1f + x;
  return {power, n * -0x1.0bfbe8p-15f + r, x};
}

/** power·(e^r − 1), the part of e^x that power leaves, within 1 ULP of e^x: r + r²·q(r). */
template <int N> INLINE Lanes<N> remainder(Reduced<N> of) {
  Lanes<N> r = of.r;
  Lanes<N> q = r * 0x1.697c0ap-10f + 0x1.12399ep-7f;
  q = q * r + 0x1.555ap-5f;
  q = q * r + 0x1.555492p-3f;
  q = q * r + 0x1.fffffap-2f;
  return of.power * ((r * r) * q + r);
}

/** e^x for x ≤ 0, within 1 ULP where `accurate`, else 2. */
template <int N> INLINE Lanes<N> exponential(Lanes<N> x) {
  Reduced<N> of = reduced(x);
  if (accurate) return of.kept(remainder(of) + of.power);
  Lanes<N> r = of.r;
  Lanes<N> p = r * 0x1.126bb8p-7f + 0x1.573af4p-5f;
  p = p * r + 0x1.55543cp-3f;
  p = p * r + 0x1.fffdc4p-2f;
  p = p * r + 1.0f;
  return of.kept((r * of.power) * p + of.power);
}

/** log x for normal x > 0, within 1 ULP. x = 2ⁿ·(1 + f) with 1 + f in [√½, √2); log(1 + f) = f − f²/2 + f³·Q(f). */
template <int N> INLINE Lanes<N> logarithm(Lanes<N> x) {
  const int root = 0x3f3504f3; // √½
  Lanes<N> n = EACH(__builtin_convertvector(((i4)x.v[u] - root) >> 23, f4));
  Lanes<N> f = EACH((f4)((i4)x.v[u] - ((((i4)x.v[u] - root) >> 23) << 23)) - 1.0f);
  Lanes<N> z = f * f;
  Lanes<N> z4 = z * z;
  // in pairs of coefficients: half as long a chain as term by term
  Lanes<N> a = f * -0x1.000006p-2f + 0x1.555548p-2f;
  Lanes<N> b = f * -0x1.555c44p-3f + 0x1.99a476p-3f;
  Lanes<N> c = f * -0x1.fc28cap-4f + 0x1.233ba2p-3f;
  Lanes<N> d = f * -0x1.de01eep-4f + 0x1.e6c00ep-4f;
  d = z * 0x1.147352p-4f + d;
  a = b * z + a;
  c = d * z + c;
  Lanes<N> y = (c * z4 + a) * f * z;
  y = n * 0x1.0bfbe8p-15f + y;
  y = z * -0.5f + y;
  return n * 0x1.62ep-1f + (f + y);
}

/** Where a body of `along` stands in a row: at N vectors of it. */
template <int N> struct Whole {
  long i;
  INLINE Lanes<N> load(const float *row, float = 0) const {
    return Lanes<N>::of([&](int u) __attribute__((always_inline)) -> f4 { return *(const loose4 *)(row + i + 4 * u); });
  }
  INLINE void store(float *row, Lanes<N> values) const {
    auto one = [&](int u) __attribute__((always_inline)) { *(loose4 *)(row + i + 4 * u) = values.v[u]; };
    each(one, std::make_integer_sequence<int, N>());
  }
};

/**
 * At its last one to three numbers; what is not there is read as `fill`. With BUFFERED they pass through memory, as a plain
 * C program has them: a vector read from what was just written in parts waits for all of it, which narrow rows feel.
 */
struct Rest {
  long i, count;
  INLINE Lanes<1> load(const float *row, float fill = 0) const {
    row += i;
#ifdef BUFFERED
    float r[4] = {fill, fill, fill, fill};
    for (long j = 0; j < count; j++) r[j] = row[j];
    return {{*(const loose4 *)r}};
#else
    return {{f4{row[0], count > 1 ? row[1] : fill, count > 2 ? row[2] : fill, fill}}};
#endif
  }
  INLINE void store(float *row, Lanes<1> values) const {
    row += i;
#ifdef BUFFERED
    for (long j = 0; j < count; j++) row[j] = values.v[0][j];
#else
    row[0] = values.v[0][0];
    if (count > 1) row[1] = values.v[0][1];
    if (count > 2) row[2] = values.v[0][2];
#endif
  }
};

/** A row of n numbers from left to right. */
template <class Body> INLINE void along(long n, Body body) {
  long i = 0;
  for (; i + 16 <= n; i += 16) body(Whole<4>{i});
  for (; i + 4 <= n; i += 4) body(Whole<1>{i});
  if (i < n) body(Rest{i, n - i});
}

/** A sum over a row, in f32. */
struct Sum32 {
  Lanes<4> s = {};
  INLINE void add(Lanes<4> x) { s = s + x; }
  INLINE void add(Lanes<1> x) { s.v[0] += x.v[0]; }
  INLINE float total() const {
    f4 t = (s.v[0] + s.v[1]) + (s.v[2] + s.v[3]);
    return (t[0] + t[2]) + (t[1] + t[3]);
  }
};

/** In f64, of four vectors that are added in f32. */
struct Sum64 {
  d2 low = {}, high = {};
  INLINE void add(Lanes<4> x) { add(Lanes<1>{{(x.v[0] + x.v[1]) + (x.v[2] + x.v[3])}}); }
  INLINE void add(Lanes<1> x) {
    const f2 *halves = (const f2 *)&x;
    low += __builtin_convertvector(halves[0], d2);
    high += __builtin_convertvector(halves[1], d2);
  }
  INLINE double total() const {
    d2 t = low + high;
    return t[0] + t[1];
  }
};

using Sum = std::conditional_t<accurate, Sum64, Sum32>;
using Total = decltype(Sum().total());

INLINE float largest(const float *row, long n) {
  const float none = -INFINITY;
  const f4 nones = {none, none, none, none};
  Lanes<4> m = {{nones, nones, nones, nones}};
  Lanes<1> rest = {{nones}};
  long i = 0;
  for (; i + 16 <= n; i += 16) m = larger(m, Whole<4>{i}.load(row));
  for (; i + 4 <= n; i += 4) rest = larger(rest, Whole<1>{i}.load(row));
  if (i < n) rest = larger(rest, Rest{i, n - i}.load(row, none));
  Lanes<2> halves = larger(Lanes<2>{{m.v[0], m.v[1]}}, Lanes<2>{{m.v[2], m.v[3]}});
  f4 t = larger(larger(Lanes<1>{{halves.v[0]}}, Lanes<1>{{halves.v[1]}}), rest).v[0];
  const float even = t[0] > t[2] ? t[0] : t[2], odd = t[1] > t[3] ? t[1] : t[3];
  return even > odd ? even : odd;
}
#undef EACH
