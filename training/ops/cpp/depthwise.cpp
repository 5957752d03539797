// The two gates built on depth-wise convolutions, 16 channels at a time on zero-padded planes:
//   spatial_gate:  a1 ⊙ (dw5x5(LN(a2)) + b) for a = (a1 | a2)        position_gate:  u ⊙ sigmoid(dw3x3(u) + b)
#include "ops.h"
#include "simd.h"

namespace {
constexpr float EPS = 1e-5f;

// One group of 16 channels of one image with a border of R zeros, as vectors.
template <int R>
struct Plane {
  int h, w, stride;
  std::vector<v16> data;
  Plane(int h, int w) : h(h), w(w), stride(w + 2 * R), data((h + 2 * R) * (w + 2 * R)) {}
  v16& at(int y, int x) { return data[(y + R) * stride + x + R]; }
};

// out[x] = Σ taps[ky][kx] · in[y + ky - R][x + kx - R] for X neighbouring pixels; flipped taps give the transpose.
template <int R, int X>
INLINE void taps_at(Plane<R>& in, const v16* taps, int y, int x, v16* out) {
  constexpr int K = 2 * R + 1;
  for (int i = 0; i < X; i++) out[i] = v16{};
  for (int ky = 0; ky < K; ky++) {
    const v16* row = &in.at(y + ky - R, x - R);
    for (int kx = 0; kx < K; kx++) {
      v16 tap = taps[ky * K + kx];
      for (int i = 0; i < X; i++) out[i] += tap * row[kx + i];
    }
  }
}

template <int R, class Use>
INLINE void convolve(Plane<R>& in, const v16* taps, Use use) {
  for (int y = 0; y < in.h; y++) {
    int x = 0;
    v16 out[8];
    for (; x + 8 <= in.w; x += 8) {
      taps_at<R, 8>(in, taps, y, x, out);
      for (int i = 0; i < 8; i++) use(y, x + i, out[i]);
    }
    for (; x < in.w; x++) {
      taps_at<R, 1>(in, taps, y, x, out);
      use(y, x, out[0]);
    }
  }
}

// g[ky][kx] += Σ_pixels d[y][x] · in[y + ky - R][x + kx - R], one row of the kernel at a time.
template <int R>
void tap_gradients(Plane<R>& in, Plane<R>& d, v16* g) {
  constexpr int K = 2 * R + 1;
  for (int y = 0; y < in.h; y++)
    for (int ky = 0; ky < K; ky++) {
      v16 acc[K];
      for (int kx = 0; kx < K; kx++) acc[kx] = g[ky * K + kx];
      const v16 *row = &in.at(y + ky - R, -R), *dr = &d.at(y, 0);
      for (int x = 0; x < in.w; x++)
        for (int kx = 0; kx < K; kx++) acc[kx] += dr[x] * row[x + kx];
      for (int kx = 0; kx < K; kx++) g[ky * K + kx] = acc[kx];
    }
}

// Kernels [channels, K²] as vectors over 16 channels; gradients back, added.
template <int K2>
INLINE void read_taps(const float* w, int channel, v16* taps, bool flip) {
  for (int k = 0; k < K2; k++)
    for (int c = 0; c < 16; c++) taps[flip ? K2 - 1 - k : k][c] = w[(channel + c) * K2 + k];
}
template <int K2>
INLINE void add_taps(float* w, int channel, const v16* taps) {
  for (int k = 0; k < K2; k++)
    for (int c = 0; c < 16; c++) w[(channel + c) * K2 + k] += taps[k][c];
}
}  // namespace

extern "C" void spatial_gate_forward(const SpatialGate* p) {
  const int c = p->c, pixels = p->h * p->w;
  Plane<2> in(p->h, p->w);
  v16 taps[25];
  for (int64_t image = 0; image < p->images; image++) {
    const float* a = p->a + image * pixels * 2 * c;
    float* m = p->moments + image * pixels * 2;
    for (int i = 0; i < pixels; i++) {
      const float* a2 = a + i * 2 * c + c;
      v16 s = {}, q = {};
      for (int k = 0; k < c; k += 16) s += load(a2 + k);
      const float mean = sum(s) / c;
      for (int k = 0; k < c; k += 16) q += (load(a2 + k) - mean) * (load(a2 + k) - mean);
      m[2 * i] = mean;
      m[2 * i + 1] = 1 / std::sqrt(sum(q) / c + EPS);
    }
    for (int k = 0; k < c; k += 16) {
      read_taps<25>(p->weight, k, taps, false);
      v16 gamma = load(p->gamma + k), beta = load(p->beta + k), bias = load(p->bias + k);
      for (int y = 0; y < p->h; y++)
        for (int x = 0; x < p->w; x++) {
          const int i = y * p->w + x;
          in.at(y, x) = (load(a + i * 2 * c + c + k) - m[2 * i]) * m[2 * i + 1] * gamma + beta;
        }
      convolve(in, taps, [&](int y, int x, v16 v) __attribute__((always_inline)) {
        const int64_t i = y * p->w + x, at = (image * pixels + i) * c + k;
        v += bias;
        store(p->conv + at, v);
        store(p->y + at, load(a + i * 2 * c + k) * v);
      });
    }
  }
}

extern "C" void spatial_gate_backward(const SpatialGate* p) {
  const int c = p->c, pixels = p->h * p->w;
  Plane<2> in(p->h, p->w), d(p->h, p->w);
  v16 taps[25];
  std::vector<v16> g(25 * (c / 16));
  for (int64_t image = 0; image < p->images; image++) {
    const float *a = p->a + image * pixels * 2 * c, *m = p->moments + image * pixels * 2;
    float* da = p->da + image * pixels * 2 * c;
    for (int k = 0; k < c; k += 16) {
      read_taps<25>(p->weight, k, taps, true);
      v16 gamma = load(p->gamma + k), beta = load(p->beta + k), dbias = load(p->dbias + k);
      for (int y = 0; y < p->h; y++)
        for (int x = 0; x < p->w; x++) {
          const int64_t i = y * p->w + x, at = (image * pixels + i) * c + k;
          v16 dy = load(p->dy + at), dv = dy * load(a + i * 2 * c + k);
          in.at(y, x) = (load(a + i * 2 * c + c + k) - m[2 * i]) * m[2 * i + 1] * gamma + beta;
          d.at(y, x) = dv;
          dbias += dv;
          store(da + i * 2 * c + k, dy * load(p->conv + at));
        }
      store(p->dbias + k, dbias);
      tap_gradients(in, d, &g[25 * (k / 16)]);
      convolve(d, taps, [&](int y, int x, v16 v) __attribute__((always_inline)) {
        store(da + (y * p->w + x) * 2 * c + c + k, v);
      });
    }
    for (int k = 0; k < c; k += 16) {
      v16 dgamma = load(p->dgamma + k), dbeta = load(p->dbeta + k);
      for (int i = 0; i < pixels; i++) {
        v16 hat = (load(a + i * 2 * c + c + k) - m[2 * i]) * m[2 * i + 1], dn = load(da + i * 2 * c + c + k);
        dgamma += dn * hat;
        dbeta += dn;
      }
      store(p->dgamma + k, dgamma);
      store(p->dbeta + k, dbeta);
    }
    for (int i = 0; i < pixels; i++) {
      const float *a2 = a + i * 2 * c + c, mean = m[2 * i], rstd = m[2 * i + 1];
      float* d2 = da + i * 2 * c + c;
      v16 s = {}, q = {};
      for (int k = 0; k < c; k += 16) {
        v16 dn = load(d2 + k) * load(p->gamma + k);
        s += dn;
        q += dn * (load(a2 + k) - mean) * rstd;
      }
      const float s_mean = sum(s) / c, q_mean = sum(q) / c;
      for (int k = 0; k < c; k += 16) {
        v16 hat = (load(a2 + k) - mean) * rstd;
        store(d2 + k, rstd * (load(d2 + k) * load(p->gamma + k) - s_mean - hat * q_mean));
      }
    }
  }
  for (int k = 0; k < c; k += 16) add_taps<25>(p->dweight, k, &g[25 * (k / 16)]);
}

extern "C" void position_gate_forward(const PositionGate* p) {
  const int c = p->c, pixels = p->h * p->w;
  Plane<1> in(p->h, p->w);
  v16 taps[9];
  for (int64_t image = 0; image < p->images; image++)
    for (int k = 0; k < c; k += 16) {
      const int64_t start = image * pixels * c + k;
      read_taps<9>(p->weight, k, taps, false);
      v16 bias = load(p->bias + k);
      for (int y = 0; y < p->h; y++)
        for (int x = 0; x < p->w; x++) in.at(y, x) = load(p->u + start + (y * p->w + x) * c);
      convolve(in, taps, [&](int y, int x, v16 v) __attribute__((always_inline)) {
        const int64_t at = start + (y * p->w + x) * c;
        v16 s = sigmoid(v + bias);
        store(p->gate + at, s);
        store(p->y + at, s * in.at(y, x));
      });
    }
}

extern "C" void position_gate_backward(const PositionGate* p) {
  const int c = p->c, pixels = p->h * p->w;
  Plane<1> in(p->h, p->w), d(p->h, p->w);
  v16 taps[9];
  std::vector<v16> g(9 * (c / 16));
  for (int64_t image = 0; image < p->images; image++)
    for (int k = 0; k < c; k += 16) {
      const int64_t start = image * pixels * c + k;
      read_taps<9>(p->weight, k, taps, true);
      v16 dbias = load(p->dbias + k);
      for (int y = 0; y < p->h; y++)
        for (int x = 0; x < p->w; x++) {
          const int64_t at = start + (y * p->w + x) * c;
          v16 u = load(p->u + at), s = load(p->gate + at);
          v16 dv = load(p->dy + at) * u * s * (1.f - s);
          in.at(y, x) = u;
          d.at(y, x) = dv;
          dbias += dv;
        }
      store(p->dbias + k, dbias);
      tap_gradients(in, d, &g[9 * (k / 16)]);
      convolve(d, taps, [&](int y, int x, v16 v) __attribute__((always_inline)) {
        const int64_t at = start + (y * p->w + x) * c;
        store(p->du + at, v + load(p->dy + at) * load(p->gate + at));
      });
    }
  for (int k = 0; k < c; k += 16) add_taps<9>(p->dweight, k, &g[9 * (k / 16)]);
}
