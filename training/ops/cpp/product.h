// Small matrix products over a tile of tokens; widths are multiples of 16.
#pragma once
#include "simd.h"

// Y[t][o] = Σ_k X[t][k] W[k][o], for T tokens and V vectors of outputs: T·V accumulators in registers.
template <int T, int V>
INLINE void product_tile(const float* x, int ldx, const float* w, int ldw, float* y, int ldy, int k_count) {
  v16 acc[T][V] = {};
  for (int k = 0; k < k_count; k++) {
    v16 row[V];
    for (int v = 0; v < V; v++) row[v] = load(w + k * ldw + 16 * v);
    for (int t = 0; t < T; t++)
      for (int v = 0; v < V; v++) acc[t][v] += x[t * ldx + k] * row[v];
  }
  for (int t = 0; t < T; t++)
    for (int v = 0; v < V; v++) store(y + t * ldy + 16 * v, acc[t][v]);
}

template <int T>
INLINE void product_rows(const float* x, int ldx, const float* w, float* y, int k_count, int n) {
  int o = 0;
  for (; o + 32 <= n; o += 32) product_tile<T, 2>(x, ldx, w + o, n, y + o, n, k_count);
  for (; o < n; o += 16) product_tile<T, 1>(x, ldx, w + o, n, y + o, n, k_count);
}

// Y[tokens][n] = X[tokens][k] · W[k][n]
static void product(const float* x, int ldx, const float* w, float* y, int tokens, int k, int n) {
  int t = 0;
  for (; t + 8 <= tokens; t += 8) product_rows<8>(x + t * ldx, ldx, w, y + t * n, k, n);
  for (; t < tokens; t++) product_rows<1>(x + t * ldx, ldx, w, y + t * n, k, n);
}

// G[o][c] += Σ_t D[t][o] X[t][c], for O rows and V vectors of columns.
template <int O, int V>
INLINE void outer_tile(const float* d, int ldd, const float* x, int ldx, float* g, int ldg, int tokens) {
  v16 acc[O][V];
  for (int o = 0; o < O; o++)
    for (int v = 0; v < V; v++) acc[o][v] = load(g + o * ldg + 16 * v);
  for (int t = 0; t < tokens; t++) {
    v16 row[V];
    for (int v = 0; v < V; v++) row[v] = load(x + t * ldx + 16 * v);
    for (int o = 0; o < O; o++)
      for (int v = 0; v < V; v++) acc[o][v] += d[t * ldd + o] * row[v];
  }
  for (int o = 0; o < O; o++)
    for (int v = 0; v < V; v++) store(g + o * ldg + 16 * v, acc[o][v]);
}

// G[n][k] += D[tokens][n]ᵀ · X[tokens][k]; n and k multiples of 8 and 16.
static void outer(const float* d, int n, const float* x, int ldx, int k, float* g, int tokens) {
  for (int o = 0; o < n; o += 8) {
    int c = 0;
    for (; c + 32 <= k; c += 32) outer_tile<8, 2>(d + o, n, x + c, ldx, g + o * k + c, k, tokens);
    for (; c < k; c += 16) outer_tile<8, 1>(d + o, n, x + c, ldx, g + o * k + c, k, tokens);
  }
}
