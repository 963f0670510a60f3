/**
 * The same operations in C++ at 128 bits, which is what a machine allows a WebAssembly kernel: rows one by one, in the passes that
 * are known to be the best (maximum; exponentials and their sum; scale), read and written where they stand, sums in f32, or with
 * ACCURATE in f64.
 * `native <folder> <operation> <rows> <columns>` reads its inputs from the folder, then answers lines on its standard input.
 */
#include "lanes.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <string>
#include <vector>

struct Case {
  long rows, cols;
  const float *x, *second, *weight;
  const int *labels;
  std::vector<float> y;

  const float *row(const float *of, long r) const { return of + r * cols; }
  float *out(long r) { return y.data() + r * cols; }
};

/** Σ e^{(xᵢ − max)·k}, and the terms in y unless that is null. At k = 1 nothing is multiplied. */
template <bool SCALED = false> INLINE Total exponentials(const float *x, float *y, long n, float max, float k = 1) {
  Sum sum, rest;
  along(n, [&](auto at) __attribute__((always_inline)) {
    auto d = at.load(x, -INFINITY) - max;
    if (accurate && !y) {
      // the parts apart, so that their sum is not rounded: a logarithm near 0 keeps its digits
      auto of = reduced(d);
      sum.add(of.kept(of.power));
      rest.add(of.kept(remainder(of)));
      return;
    }
    auto e = exponential(SCALED ? d * k : d);
    if (y) at.store(y, e);
    sum.add(e);
  });
  return sum.total() + rest.total();
}

INLINE void scale(float *y, long n, float k) {
  along(n, [&](auto at) __attribute__((always_inline)) { at.store(y, at.load(y) * k); });
}

template <bool SCALED> void softmax(Case &c) {
  for (long r = 0; r < c.rows; r++) {
    const float *x = c.row(c.x, r);
    scale(c.out(r), c.cols, 1 / exponentials<SCALED>(x, c.out(r), c.cols, largest(x, c.cols), 1 / 0.7f));
  }
}

/** Along axis 0: the maxima and the sums of all columns side by side, and the matrix from top to bottom in each pass. */
void softmaxAcross(Case &c) {
  static std::vector<float> max, sum;
  max.assign(c.x, c.x + c.cols);
  sum.assign(c.cols, 0);
  float *m = max.data(), *s = sum.data();
  for (long r = 1; r < c.rows; r++) {
    const float *x = c.row(c.x, r);
    along(c.cols, [&](auto at) __attribute__((always_inline)) { at.store(m, larger(at.load(m), at.load(x))); });
  }
  for (long r = 0; r < c.rows; r++) {
    const float *x = c.row(c.x, r);
    float *y = c.out(r);
    along(c.cols, [&](auto at) __attribute__((always_inline)) {
      auto e = exponential(at.load(x) - at.load(m));
      at.store(y, e);
      at.store(s, at.load(s) + e);
    });
  }
  along(c.cols, [&](auto at) __attribute__((always_inline)) { at.store(s, 1.0f / at.load(s, 1)); });
  for (long r = 0; r < c.rows; r++) {
    float *y = c.out(r);
    along(c.cols, [&](auto at) __attribute__((always_inline)) { at.store(y, at.load(y) * at.load(s)); });
  }
}

INLINE float logSumExpOf(const float *x, long n) {
  float max = largest(x, n);
  return max + std::log(exponentials(x, nullptr, n, max));
}

void logSoftmax(Case &c) {
  for (long r = 0; r < c.rows; r++) {
    const float *x = c.row(c.x, r);
    float *y = c.out(r), lse = logSumExpOf(x, c.cols);
    along(c.cols, [&](auto at) __attribute__((always_inline)) { at.store(y, at.load(x) - lse); });
  }
}

void logSumExp(Case &c) {
  for (long r = 0; r < c.rows; r++) c.y[r] = logSumExpOf(c.row(c.x, r), c.cols);
}

/** The mean of w[label]·(lse − x[label]) over Σ w[label]. */
template <bool WEIGHTED> void crossEntropy(Case &c) {
  float loss = 0, mass = 0;
  for (long r = 0; r < c.rows; r++) {
    const float *x = c.row(c.x, r);
    float w = WEIGHTED ? c.weight[c.labels[r]] : 1;
    loss += w * (logSumExpOf(x, c.cols) - x[c.labels[r]]);
    mass += w;
  }
  c.y[0] = loss / mass;
}

/** With ε = 0.1 of each target's mass spread over all classes. */
void smoothed(Case &c) {
  const float epsilon = 0.1f;
  float loss = 0;
  for (long r = 0; r < c.rows; r++) {
    const float *x = c.row(c.x, r);
    float max = largest(x, c.cols);
    Sum e, differences;
    along(c.cols, [&](auto at) __attribute__((always_inline)) {
      e.add(exponential(at.load(x, -INFINITY) - max));
      differences.add(at.load(x, max) - max);
    });
    float all = differences.total() / c.cols;
    loss += std::log(e.total()) - (1 - epsilon) * (x[c.labels[r]] - max) - epsilon * all;
  }
  c.y[0] = loss / c.rows;
}

/** Targets that are distributions: Σ tᵢ·(lse − xᵢ). */
void softTargets(Case &c) {
  float loss = 0;
  for (long r = 0; r < c.rows; r++) {
    const float *x = c.row(c.x, r), *t = c.row(c.second, r);
    float max = largest(x, c.cols);
    Sum e, dot, mass;
    along(c.cols, [&](auto at) __attribute__((always_inline)) {
      auto target = at.load(t);
      e.add(exponential(at.load(x, -INFINITY) - max));
      dot.add(target * (at.load(x, max) - max));
      mass.add(target);
    });
    loss += std::log(e.total()) * mass.total() - dot.total();
  }
  c.y[0] = loss / c.rows;
}

/** The gradient, and behind it the loss. */
void crossEntropyWithGrad(Case &c) {
  float loss = 0, share = 1.0f / c.rows;
  for (long r = 0; r < c.rows; r++) {
    const float *x = c.row(c.x, r);
    float *grad = c.out(r), max = largest(x, c.cols);
    Total sum = exponentials(x, grad, c.cols, max);
    scale(grad, c.cols, share / sum);
    grad[c.labels[r]] -= share;
    loss += max + std::log(sum) - x[c.labels[r]];
  }
  c.y.back() = loss * share;
}

/** Σ p·log(p/q), as it stands: nothing is normalised. */
void klDivergence(Case &c) {
  for (long r = 0; r < c.rows; r++) {
    const float *p = c.row(c.x, r), *q = c.row(c.second, r);
    Sum sum;
    along(c.cols, [&](auto at) __attribute__((always_inline)) {
      auto P = at.load(p, 1);
      sum.add(P * logarithm(P / at.load(q, 1)));
    });
    c.y[r] = sum.total();
  }
}

/** ½ Σ p·log(p/m) + q·log(q/m), m = (p + q)/2. */
void jsDivergence(Case &c) {
  for (long r = 0; r < c.rows; r++) {
    const float *p = c.row(c.x, r), *q = c.row(c.second, r);
    Sum sum;
    along(c.cols, [&](auto at) __attribute__((always_inline)) {
      auto P = at.load(p, 1), Q = at.load(q, 1);
      auto over = 2.0f / (P + Q);
      sum.add(P * logarithm(P * over));
      sum.add(Q * logarithm(Q * over));
    });
    c.y[r] = sum.total() / 2;
  }
}

/** Rows and columns of a tile of the Gram matrix, 12 vectors of sums; and how long a piece of its products is. */
const int TALL = 6, WIDE = 8, DEEP = 512;

/** Σₖ a[k][i]·b[k][j] of packed pieces. */
static void tile(const float *__restrict a, const float *__restrict b, long depth, float *__restrict sums) {
  f4 s[TALL][2] = {};
  for (long k = 0; k < depth; k++, a += TALL, b += WIDE) {
    const f4 b0 = *(const loose4 *)b, b1 = *(const loose4 *)(b + 4);
#pragma GCC unroll 6
    for (int i = 0; i < TALL; i++) {
      s[i][0] += a[i] * b0;
      s[i][1] += a[i] * b1;
    }
  }
  memcpy(sums, s, sizeof s);
}

/** Columns from k on of all rows, `height` rows side by side; rows that are not there are 0. */
static void pack(const Case &c, long k, long depth, int height, float *to) {
  for (long top = 0; top < c.rows; top += height, to += height * depth) {
    for (int i = 0; i < height; i++) {
      const float *x = c.row(c.x, top + i) + k;
      for (long j = 0; j < depth; j++) to[j * height + i] = top + i < c.rows ? x[j] : 0;
    }
  }
}

/** X·Xᵀ: tiles on and below the diagonal of products of packed pieces, and the upper half from the lower. */
void gram(Case &c) {
  static std::vector<float> left, right;
  const long n = c.rows;
  left.resize((n + TALL) * DEEP);
  right.resize((n + WIDE) * DEEP);
  float *g = c.y.data(), sums[TALL * WIDE];
  for (long k = 0; k < c.cols; k += DEEP) {
    long depth = std::min<long>(DEEP, c.cols - k);
    pack(c, k, depth, TALL, left.data());
    pack(c, k, depth, WIDE, right.data());
    for (long j = 0; j < n; j += WIDE) {
      for (long i = j / TALL * TALL; i < n; i += TALL) {
        tile(&left[i * depth], &right[j * depth], depth, sums);
        for (long r = i; r < std::min(i + TALL, n); r++) {
          for (long col = j; col < std::min(j + WIDE, r + 1); col++) {
            float before = k == 0 ? 0 : g[r * n + col];
            g[r * n + col] = before + sums[(r - i) * WIDE + col - j];
          }
        }
      }
    }
  }
  // in squares, so that both halves stay in the cache
  const long SIDE = 32;
  for (long top = 0; top < n; top += SIDE)
    for (long left = 0; left <= top; left += SIDE)
      for (long i = top; i < std::min(top + SIDE, n); i++)
        for (long j = left; j < std::min(left + SIDE, i); j++) g[j * n + i] = g[i * n + j];
}

struct Operation {
  void (*run)(Case &);
  /** How many numbers it writes. */
  long (*length)(long rows, long cols);
};

static long matrix(long rows, long cols) { return rows * cols; }
static long perRow(long rows, long) { return rows; }
static long one(long, long) { return 1; }

static const std::map<std::string, Operation> OPERATIONS = {
    {"softmax", {softmax<false>, matrix}},
    {"temperature", {softmax<true>, matrix}},
    {"across", {softmaxAcross, matrix}},
    {"logSoftmax", {logSoftmax, matrix}},
    {"logSumExp", {logSumExp, perRow}},
    {"crossEntropy", {crossEntropy<false>, one}},
    {"weighted", {crossEntropy<true>, one}},
    {"smoothed", {smoothed, one}},
    {"soft", {softTargets, one}},
    {"crossEntropyWithGrad", {crossEntropyWithGrad, [](long rows, long cols) { return rows * cols + 1; }}},
    {"klDivergence", {klDivergence, perRow}},
    {"jsDivergence", {jsDivergence, perRow}},
    {"gram", {gram, [](long rows, long) { return rows * rows; }}},
};

/** A file of numbers, at an address that vectors and cache lines begin at; null if there is none. */
static void *numbers(const std::string &path) {
  FILE *file = fopen(path.c_str(), "rb");
  if (!file) return nullptr;
  fseek(file, 0, SEEK_END);
  size_t bytes = ftell(file);
  rewind(file);
  void *data = aligned_alloc(4096, (bytes + 8191) / 4096 * 4096);
  if (fread(data, 1, bytes, file) != bytes) abort();
  fclose(file);
  return data;
}

static double milliseconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e3 * t.tv_sec + 1e-6 * t.tv_nsec;
}

/** As bench/harness.ts times: samples of as many calls as fill 0.1 ms, for so many ms and three samples; their median, in µs a call. */
static double turn(const Operation &operation, Case &c, double ms) {
  static long batch = 1;
  std::vector<double> samples;
  const double start = milliseconds();
  while (samples.size() < 3 || milliseconds() - start < ms) {
    double before = milliseconds();
    for (long i = 0; i < batch; i++) operation.run(c);
    double took = milliseconds() - before;
    if (took < 0.1) {
      batch *= 2;
      samples.clear();
    } else samples.push_back(took * 1e3 / batch);
  }
  std::nth_element(samples.begin(), samples.begin() + samples.size() / 2, samples.end());
  return samples[samples.size() / 2];
}

int main(int, char **words) {
  const std::string folder = words[1];
  const Operation &operation = OPERATIONS.at(words[2]);
  const long rows = atol(words[3]), cols = atol(words[4]);
  const void *second = numbers(folder + "/1");
  Case c = {rows, cols, (const float *)numbers(folder + "/0"), (const float *)second, (const float *)numbers(folder + "/2"),
            (const int *)second, std::vector<float>(operation.length(rows, cols))};
  // "turn 40" times it for 40 ms, "result" writes what it makes into a file
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    if (strncmp(line, "turn ", 5) == 0) printf("%.6f\n", turn(operation, c, atof(line + 5)));
    else {
      operation.run(c);
      FILE *file = fopen((folder + "/result").c_str(), "wb");
      fwrite(c.y.data(), sizeof(float), c.y.size(), file);
      fclose(file);
      puts("done");
    }
    fflush(stdout);
  }
}
