// y = act(LN(x) Wᵀ + b) + residual + scale ⊙ skip, forward and backward, in tiles of tokens that stay in the cache.
// Widths are multiples of 16. Absent pieces are null pointers.
#include "ops.h"
#include "product.h"

namespace {
constexpr int TILE = 64;
constexpr float EPS = 1e-5f;

INLINE void moments(const float* x, int k, float& mean, float& rstd) {
  v16 s = {}, q = {};
  for (int c = 0; c < k; c += 16) s += load(x + c);
  mean = sum(s) / k;
  for (int c = 0; c < k; c += 16) {
    v16 d = load(x + c) - mean;
    q += d * d;
  }
  rstd = 1 / std::sqrt(sum(q) / k + EPS);
}
}  // namespace

extern "C" void linear_forward(const Linear* p) {
  const int k = p->k, n = p->n;
  Buffer wt(k * n), norm(TILE * k), product_of(TILE * n);
  for (int o = 0; o < n; o++)
    for (int c = 0; c < k; c++) wt[c * n + o] = p->weight[o * k + c];
  for (int64_t first = 0; first < p->tokens; first += TILE) {
    const int count = p->tokens - first < TILE ? p->tokens - first : TILE;
    const float* x = p->x + first * k;
    if (p->gamma) {
      for (int t = 0; t < count; t++) {
        float mean, rstd;
        moments(x + t * k, k, mean, rstd);
        p->moments[2 * (first + t)] = mean;
        p->moments[2 * (first + t) + 1] = rstd;
        for (int c = 0; c < k; c += 16)
          store(&norm[t * k + c], (load(x + t * k + c) - mean) * rstd * load(p->gamma + c) + load(p->beta + c));
      }
      x = norm.data();
    }
    product(x, k, wt.data(), product_of.data(), count, k, n);
    for (int t = 0; t < count; t++) {
      for (int o = 0; o < n; o += 16) {
        const int64_t at = (first + t) * n + o;
        v16 z = load(&product_of[t * n + o]);
        if (p->bias) z += load(p->bias + o);
        if (p->gelu) {
          v16 cdf, density;
          normal_cdf(z, cdf, density);
          store(p->slope + at, cdf + z * density);
          z *= cdf;
        }
        if (p->residual) z += load(p->residual + at);
        if (p->skip) z += load(p->scale + o) * load(p->skip + at);
        store(p->y + at, z);
      }
    }
  }
}

extern "C" void linear_backward(const Linear* p) {
  const int k = p->k, n = p->n;
  Buffer norm(TILE * k), dz_of(TILE * n), dn(TILE * k);
  for (int64_t first = 0; first < p->tokens; first += TILE) {
    const int count = p->tokens - first < TILE ? p->tokens - first : TILE;
    const float *x = p->x + first * k, *dy = p->dy + first * n, *dz = dy;
    if (p->gelu) {
      for (int i = 0; i < count * n; i += 16) store(&dz_of[i], load(dy + i) * load(p->slope + first * n + i));
      dz = dz_of.data();
    }
    if (p->skip) {
      const float* skip = p->skip + first * n;
      for (int o = 0; o < n; o += 16) {
        v16 scale = load(p->scale + o), dscale = load(p->dscale + o);
        for (int t = 0; t < count; t++) {
          v16 d = load(dy + t * n + o);
          dscale += d * load(skip + t * n + o);
          store(p->dskip + (first + t) * n + o, d * scale);
        }
        store(p->dscale + o, dscale);
      }
    }
    if (p->dbias)
      for (int o = 0; o < n; o += 16) {
        v16 d = load(p->dbias + o);
        for (int t = 0; t < count; t++) d += load(dz + t * n + o);
        store(p->dbias + o, d);
      }
    if (p->gamma) {
      for (int t = 0; t < count; t++) {
        const float mean = p->moments[2 * (first + t)], rstd = p->moments[2 * (first + t) + 1];
        for (int c = 0; c < k; c += 16)
          store(&norm[t * k + c], (load(x + t * k + c) - mean) * rstd * load(p->gamma + c) + load(p->beta + c));
      }
      x = norm.data();
    }
    outer(dz, n, x, k, k, p->dweight, count);
    float* dx = p->dx + first * k;
    if (!p->gamma) {
      if (p->add_dx) {
        product(dz, n, p->weight, dn.data(), count, n, k);
        for (int i = 0; i < count * k; i += 16) add_to(dx + i, load(&dn[i]));
      } else {
        product(dz, n, p->weight, dx, count, n, k);
      }
      continue;
    }
    product(dz, n, p->weight, dn.data(), count, n, k);
    for (int c = 0; c < k; c += 16) {  // from here norm holds the normalised x, dn its gradient
      v16 gamma = load(p->gamma + c), dgamma = load(p->dgamma + c), dbeta = load(p->dbeta + c);
      for (int t = 0; t < count; t++) {
        const float mean = p->moments[2 * (first + t)], rstd = p->moments[2 * (first + t) + 1];
        v16 hat = (load(p->x + (first + t) * k + c) - mean) * rstd, d = load(&dn[t * k + c]);
        dgamma += d * hat;
        dbeta += d;
        store(&norm[t * k + c], hat);
        store(&dn[t * k + c], d * gamma);
      }
      store(p->dgamma + c, dgamma);
      store(p->dbeta + c, dbeta);
    }
    for (int t = 0; t < count; t++) {
      const float rstd = p->moments[2 * (first + t) + 1];
      v16 s = {}, q = {};
      for (int c = 0; c < k; c += 16) {
        v16 d = load(&dn[t * k + c]);
        s += d;
        q += d * load(&norm[t * k + c]);
      }
      const float s_mean = sum(s) / k, q_mean = sum(q) / k;
      for (int c = 0; c < k; c += 16) {
        v16 d = rstd * (load(&dn[t * k + c]) - s_mean - load(&norm[t * k + c]) * q_mean);
        store(dx + t * k + c, p->add_dx ? load(dx + t * k + c) + d : d);
      }
    }
  }
}
