// The arguments of every operation. Gradients of weights are added to what is there; those of activations are written.
// The Python side (native.py) mirrors these fields in the same order.
#pragma once
#include <cstdint>

struct Linear {
  int64_t tokens;
  int k, n;            // width in, width out
  int gelu, add_dx;    // add_dx: add to dx instead of writing it
  const float *x, *weight, *bias, *gamma, *beta, *residual, *scale, *skip;
  float *y, *moments, *slope;  // moments [tokens, 2] if gamma; slope [tokens, n] (of the GELU) if gelu
  const float* dy;
  float *dx, *dweight, *dbias, *dgamma, *dbeta, *dscale, *dskip;
};

struct Attention {
  int64_t images;
  int h, w, c, heads, ws, shift;
  const float *qkv, *table;  // table [(2ws-1)², heads]
  float *y, *lse;            // lse [images, windows, heads, ws²], base 2
  const float* dy;
  float *dqkv, *dtable;
};

struct SpatialGate {
  int64_t images;
  int h, w, c;  // c = F / 2
  const float *a, *gamma, *beta, *weight, *bias;
  float *y, *moments, *conv;  // moments [pixels, 2]; conv [pixels, c]: dw + b
  const float* dy;
  float *da, *dgamma, *dbeta, *dweight, *dbias;
};

struct PositionGate {
  int64_t images;
  int h, w, c;
  const float *u, *weight, *bias;
  float *y, *gate;  // gate [pixels, c]: the sigmoid
  const float* dy;
  float *du, *dweight, *dbias;
};

struct Scan {
  int64_t images;
  int length, hd, n, rank, width;  // width: 2N + R rounded up to 16; a projected row is (B | C | dt | 0)
  const float* u;
  const int64_t* order;
  const float *prompt, *x_proj, *dt_weight, *dt_bias, *a_logs, *d;
  float *y, *rows, *delta, *states;  // rows [L, width], delta [L, Hd] in step order; states [chunks, Hd/16, N, 16]
  const float* dy;
  float *du, *dprompt, *dx_proj, *ddt_weight, *ddt_bias, *da_logs, *dd;
};

extern "C" {
void linear_forward(const Linear*);
void linear_backward(const Linear*);
void attention_forward(const Attention*);
void attention_backward(const Attention*);
void spatial_gate_forward(const SpatialGate*);
void spatial_gate_backward(const SpatialGate*);
void position_gate_forward(const PositionGate*);
void position_gate_backward(const PositionGate*);
void scan_forward(const Scan*);
void scan_backward(const Scan*);
}
