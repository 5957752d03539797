// Sixteen floats at a time, by the compiler's vector extensions: AVX-512 where there is, split into smaller
// vectors where not. Built with -ffast-math: no NaN or infinity may be relied upon.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

typedef float v16 __attribute__((vector_size(64)));
typedef float v16u __attribute__((vector_size(64), aligned(4)));
typedef float v8 __attribute__((vector_size(32)));
typedef int32_t i16 __attribute__((vector_size(64)));

#define INLINE static inline __attribute__((always_inline))

INLINE v16 load(const float* p) { return *(const v16u*)p; }
INLINE void store(float* p, v16 v) { *(v16u*)p = v; }
INLINE void add_to(float* p, v16 v) { *(v16u*)p += v; }
INLINE v16 splat(float x) { return v16{} + x; }
INLINE v16 vmax(v16 a, v16 b) { return a > b ? a : b; }
INLINE v16 vmin(v16 a, v16 b) { return a < b ? a : b; }

INLINE float sum(v16 v) {
  v16 a = v + __builtin_shuffle(v, i16{8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7});
  a += __builtin_shuffle(a, i16{4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11});
  a += __builtin_shuffle(a, i16{2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13});
  return a[0] + a[1];
}

// 2^x to 2e-7 relative for x < 127: integer part by the exponent bits, fraction in [-1/2, 1/2] by a polynomial
// (least largest error, degree 5). Adding 1.5·2^23 leaves the rounded x in the low bits; they are taken as integers
// because -ffast-math would cancel a float subtraction.
INLINE v16 vexp2(v16 x) {
  x = vmax(x, splat(-126.f));
  i16 bits = (i16)(x + 12582912.f);
  v16 f = x - __builtin_convertvector(bits - 0x4b400000, v16);
  v16 p = f * 0.0013276471f + 0.0096755413f;
  p = p * f + 0.0555071328f;
  p = p * f + 0.2402211972f;
  p = p * f + 0.6931469671f;
  p = p * f + 1.0000000717f;
  return (v16)((i16)p + (bits << 23));
}

constexpr float LOG2E = 1.44269504088896341f, LN2 = 0.693147180559945f;
INLINE v16 vexp(v16 x) { return vexp2(vmin(x * LOG2E, splat(126.f))); }

INLINE v16 sigmoid(v16 x) { return 1.f / (1.f + vexp(-x)); }

// log of a positive normal number: exponent bits and an atanh series on [sqrt 1/2, sqrt 2).
INLINE v16 vlog(v16 x) {
  i16 bits = (i16)x;
  i16 e = (bits - 0x3f3504f3) >> 23;
  v16 m = (v16)(bits - (e << 23));
  v16 t = (m - 1.f) / (m + 1.f), s = t * t;
  v16 p = splat(2.f / 9);
  p = p * s + 2.f / 7;
  p = p * s + 2.f / 5;
  p = p * s + 2.f / 3;
  p = p * s + 2.f;
  return p * t + __builtin_convertvector(e, v16) * LN2;
}

// log1p(exp x), without overflow; small e loses nothing because log1p(e) = e - e²/2 there.
INLINE v16 softplus(v16 x) {
  v16 e = vexp(-(x > 0 ? x : -x));
  v16 l = e < 1e-3f ? e - 0.5f * e * e : vlog(1.f + e);
  return vmax(x, splat(0.f)) + l;
}

// Φ(x) of the normal distribution (Abramowitz and Stegun 7.1.26, 1.5e-7) and its density.
INLINE void normal_cdf(v16 x, v16& cdf, v16& density) {
  v16 a = (x > 0 ? x : -x) * 0.70710678118654752f;
  v16 t = 1.f / (1.f + 0.3275911f * a);
  v16 g = vexp(-a * a);
  v16 p = splat(1.061405429f);
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  v16 tail = 0.5f * p * t * g;
  cdf = x > 0 ? 1.f - tail : tail;
  density = g * 0.39894228040143268f;
}

typedef std::vector<float> Buffer;
