// The attentive state space scan: gather u in class order, project to Δ, B and C, scan, scatter back.
// Sixteen channels per vector. The forward pass saves the state at the start of every chunk of steps; the backward
// pass recomputes the states of one chunk at a time. Hd is a multiple of 16, N of 8.
#include "ops.h"
#include "product.h"

namespace {
constexpr int CHUNK = 32;

// Lane i of the result is the sum over the lanes of v[i].
INLINE v16 sums16(const v16* v) {
  v16 a[16];
  for (int i = 0; i < 16; i++) a[i] = v[i];
  const i16 lo8 = {0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23}, hi8 = lo8 + 8;
  const i16 lo4 = {0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27}, hi4 = lo4 + 4;
  const i16 lo2 = {0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29}, hi2 = lo2 + 2;
  const i16 lo1 = {0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30}, hi1 = lo1 + 1;
  for (int i = 0; i < 8; i++) a[i] = __builtin_shuffle(a[i], a[i + 8], lo8) + __builtin_shuffle(a[i], a[i + 8], hi8);
  for (int i = 0; i < 4; i++) a[i] = __builtin_shuffle(a[i], a[i + 4], lo4) + __builtin_shuffle(a[i], a[i + 4], hi4);
  for (int i = 0; i < 2; i++) a[i] = __builtin_shuffle(a[i], a[i + 2], lo2) + __builtin_shuffle(a[i], a[i + 2], hi2);
  return __builtin_shuffle(a[0], a[1], lo1) + __builtin_shuffle(a[0], a[1], hi1);
}

// Official row r of x_proj (dt | B | C) -> its place in a projected row (B | C | dt).
INLINE int place_of(const Scan& p, int r) { return r < p.rank ? 2 * p.n + r : r - p.rank; }

// x_proj as [width][Hd] in the order of projected rows, zero padded.
Buffer projection(const Scan& p) {
  Buffer w(p.width * p.hd);
  for (int r = 0; r < p.rank + 2 * p.n; r++)
    std::memcpy(&w[place_of(p, r) * p.hd], p.x_proj + r * p.hd, p.hd * sizeof(float));
  return w;
}

// A = -exp(A_logs), for powers of two.
Buffer rates(const Scan& p) {
  Buffer a(p.n * p.hd);  // [N][Hd]
  for (int d = 0; d < p.hd; d++)
    for (int n = 0; n < p.n; n++) a[n * p.hd + d] = -std::exp(p.a_logs[d * p.n + n]) * LOG2E;
  return a;
}

template <int N>
void forward(const Scan& p) {
  const int hd = p.hd, groups = hd / 16, chunks = (p.length + CHUNK - 1) / CHUNK;
  const Buffer w = projection(p), a = rates(p);
  Buffer wt(hd * p.width), dtw(p.rank * hd), us(CHUNK * hd);
  for (int o = 0; o < p.width; o++)
    for (int d = 0; d < hd; d++) wt[d * p.width + o] = w[o * hd + d];
  for (int r = 0; r < p.rank; r++)
    for (int d = 0; d < hd; d++) dtw[r * hd + d] = p.dt_weight[d * p.rank + r];
  for (int64_t image = 0; image < p.images; image++) {
    std::vector<v16> state(groups * N);
    for (int chunk = 0; chunk < chunks; chunk++) {
      const int first = chunk * CHUNK, count = p.length - first < CHUNK ? p.length - first : CHUNK;
      const int64_t at = image * p.length + first;
      const int64_t* order = p.order + at;
      float *rows = p.rows + at * p.width, *delta = p.delta + at * hd;
      const float* u = p.u + image * p.length * hd;
      for (int t = 0; t < count; t++) std::memcpy(&us[t * hd], u + order[t] * hd, hd * sizeof(float));
      product(us.data(), hd, wt.data(), rows, count, hd, p.width);
      for (int t = 0; t < count; t++) {
        for (int n = 0; n < N; n++) rows[t * p.width + N + n] += p.prompt[(at + t) * N + n];
        for (int d = 0; d < hd; d += 16) {
          v16 z = load(p.dt_bias + d);
          for (int r = 0; r < p.rank; r++) z += rows[t * p.width + 2 * N + r] * load(&dtw[r * hd + d]);
          store(delta + t * hd + d, softplus(z));
        }
      }
      std::memcpy(p.states + (image * chunks + chunk) * groups * N * 16, state.data(), groups * N * sizeof(v16));
      for (int g = 0; g < groups; g++) {
        v16 h[N], rate[N], skip = load(p.d + 16 * g);
        for (int n = 0; n < N; n++) h[n] = state[g * N + n], rate[n] = load(&a[n * hd + 16 * g]);
        for (int t = 0; t < count; t++) {
          const float* row = rows + t * p.width;
          v16 dt = load(delta + t * hd + 16 * g), ut = load(&us[t * hd + 16 * g]), drive = dt * ut, out = skip * ut;
          for (int n = 0; n < N; n++) {
            h[n] = vexp2(dt * rate[n]) * h[n] + drive * row[n];
            out += row[N + n] * h[n];
          }
          store(p.y + (image * p.length + order[t]) * hd + 16 * g, out);
        }
        for (int n = 0; n < N; n++) state[g * N + n] = h[n];
      }
    }
  }
}

template <int N>
void backward(const Scan& p) {
  const int hd = p.hd, groups = hd / 16, chunks = (p.length + CHUNK - 1) / CHUNK, width = p.width;
  const Buffer w = projection(p), a = rates(p);
  Buffer dw(width * hd), dtw(p.rank * hd), ddtw(p.rank * hd), da(N * hd);
  Buffer us(CHUNK * hd), dus(CHUNK * hd), through(CHUNK * hd), drows(CHUNK * width);
  std::vector<v16> h(CHUNK * N + N), decay(CHUNK * N);
  for (int r = 0; r < p.rank; r++)
    for (int d = 0; d < hd; d++) dtw[r * hd + d] = p.dt_weight[d * p.rank + r];
  for (int64_t image = 0; image < p.images; image++) {
    std::vector<v16> carried(groups * N);
    const float *u = p.u + image * p.length * hd, *dy = p.dy + image * p.length * hd;
    for (int chunk = chunks - 1; chunk >= 0; chunk--) {
      const int first = chunk * CHUNK, count = p.length - first < CHUNK ? p.length - first : CHUNK;
      const int64_t at = image * p.length + first;
      const int64_t* order = p.order + at;
      const float *rows = p.rows + at * width, *delta = p.delta + at * hd;
      for (int t = 0; t < count; t++) std::memcpy(&us[t * hd], u + order[t] * hd, hd * sizeof(float));
      std::memset(drows.data(), 0, drows.size() * sizeof(float));
      for (int g = 0; g < groups; g++) {
        std::memcpy(h.data(), p.states + ((image * chunks + chunk) * groups + g) * N * 16, N * sizeof(v16));
        v16 rate[N], dh[N], drate[N];
        for (int n = 0; n < N; n++) {
          rate[n] = load(&a[n * hd + 16 * g]);
          dh[n] = carried[g * N + n];
          drate[n] = load(&da[n * hd + 16 * g]);
        }
        for (int t = 0; t < count; t++) {
          v16 dt = load(delta + t * hd + 16 * g), drive = dt * load(&us[t * hd + 16 * g]);
          for (int n = 0; n < N; n++) {
            decay[t * N + n] = vexp2(dt * rate[n]);
            h[(t + 1) * N + n] = decay[t * N + n] * h[t * N + n] + drive * rows[t * width + n];
          }
        }
        v16 skip = load(p.d + 16 * g), dskip = load(p.dd + 16 * g), dbias = load(p.ddt_bias + 16 * g);
        for (int t = count - 1; t >= 0; t--) {
          const float* row = rows + t * width;
          v16 dt = load(delta + t * hd + 16 * g), ut = load(&us[t * hd + 16 * g]), drive = dt * ut;
          v16 d = load(dy + order[t] * hd + 16 * g), ddrive = {}, ddt = {}, parts[2 * N];
          for (int n = 0; n < N; n++) {
            dh[n] += d * row[N + n];
            parts[N + n] = d * h[(t + 1) * N + n];
            parts[n] = dh[n] * drive;
            ddrive += dh[n] * row[n];
            dh[n] *= decay[t * N + n];
            v16 exponent = dh[n] * h[t * N + n];
            ddt += exponent * rate[n];
            drate[n] += exponent * dt;
          }
          for (int n = 0; n < 2 * N; n += 16) add_to(&drows[t * width + n], sums16(parts + n));
          ddt = ddt * LN2 + ddrive * ut;
          dskip += d * ut;
          store(&dus[t * hd + 16 * g], ddrive * dt + d * skip);
          v16 dz = ddt * (1.f - vexp(-dt));
          dbias += dz;
          for (int r = 0; r < p.rank; r++) {
            drows[t * width + 2 * N + r] += sum(dz * load(&dtw[r * hd + 16 * g]));
            add_to(&ddtw[r * hd + 16 * g], dz * row[2 * N + r]);
          }
        }
        store(p.dd + 16 * g, dskip);
        store(p.ddt_bias + 16 * g, dbias);
        for (int n = 0; n < N; n++) carried[g * N + n] = dh[n], store(&da[n * hd + 16 * g], drate[n]);
      }
      product(drows.data(), width, w.data(), through.data(), count, width, hd);
      outer(drows.data(), width, us.data(), hd, hd, dw.data(), count);
      for (int t = 0; t < count; t++) {
        float* du = p.du + (image * p.length + order[t]) * hd;
        for (int d = 0; d < hd; d += 16) store(du + d, load(&dus[t * hd + d]) + load(&through[t * hd + d]));
        std::memcpy(p.dprompt + (at + t) * N, &drows[t * width + N], N * sizeof(float));
      }
    }
  }
  for (int r = 0; r < p.rank + 2 * p.n; r++)
    for (int d = 0; d < hd; d++) p.dx_proj[r * hd + d] += dw[place_of(p, r) * hd + d];
  for (int d = 0; d < hd; d++) {
    for (int r = 0; r < p.rank; r++) p.ddt_weight[d * p.rank + r] += ddtw[r * hd + d];
    for (int n = 0; n < N; n++) p.da_logs[d * N + n] += da[n * hd + d] * a[n * hd + d] * LN2;
  }
}
}  // namespace

extern "C" void scan_forward(const Scan* p) { p->n == 8 ? forward<8>(*p) : forward<16>(*p); }
extern "C" void scan_backward(const Scan* p) { p->n == 8 ? backward<8>(*p) : backward<16>(*p); }
