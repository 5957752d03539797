// One whole light block (attentive layer), image by image, so that its activations stay in the cache: the operations of
// the other files in sequence. `saved` keeps what the backward pass reads. Images are shared among threads, each of
// which adds to gradients of its own.
#include <omp.h>

#include "ops.h"
#include "simd.h"

// The order of weights and gradients; native.py gives them so.
enum Weight {
  NORM1_W, NORM1_B, QKV_W, QKV_B, TABLE, PROJ_W, PROJ_B, SCALE1,
  FFN1,  // ten, in the order of Ffn
  NORM3_W = FFN1 + 10, NORM3_B, IN_W, IN_B, CPE_W, CPE_B, X_PROJ, DT_W, DT_B, A_LOGS, D, OUT_NORM_W, OUT_NORM_B,
  OUT_W, OUT_B, SCALE2, FFN2, WEIGHTS = FFN2 + 10
};
// Of a feed-forward: its LayerNorm, fc1, the gate's LayerNorm and convolution, fc2.
enum Ffn { NORM_W, NORM_B, FC1_W, FC1_B, GATE_NORM_W, GATE_NORM_B, GATE_W, GATE_B, FC2_W, FC2_B };

struct Block {
  int64_t images;
  int h, w, c, heads, ws, shift, f, hd, n, rank, width, threads;
  const float* x;
  const int64_t* order;
  const float* prompt;
  float *y, *saved;
  const float* dy;
  float *dx, *dprompt;
  const float* weights[WEIGHTS];
  float* grads[WEIGHTS];  // of the first thread; those of the next lie grad_floats further
  int64_t grad_floats;
};

namespace {
constexpr int CHUNK = 32;

// Pieces of a buffer, one after another.
struct Cursor {
  float* at;
  float* take(int64_t count) {
    float* piece = at;
    at += (count + 15) / 16 * 16;
    return piece;
  }
};

struct FfnSaved {
  float *moments, *slope, *a, *gate_moments, *conv, *gated;
  FfnSaved(Cursor& s, int pixels, int f)
      : moments(s.take(2 * pixels)), slope(s.take(pixels * f)), a(s.take(pixels * f)), gate_moments(s.take(2 * pixels)),
        conv(s.take(pixels * f / 2)), gated(s.take(pixels * f / 2)) {}
};

struct Saved {
  float *moments1, *qkv, *attention, *lse, *x_win, *mid, *moments3, *u0, *gate, *u, *y, *rows, *delta, *states,
      *out_moments, *a;
  FfnSaved ffn1, ffn2;
  int64_t size;
  static Saved in(const Block& p, float* start) {
    Cursor s{start};
    Saved saved(p, s);
    saved.size = s.at - start;
    return saved;
  }
  Saved(const Block& p, Cursor& s, int64_t px)
      : moments1(s.take(2 * px)), qkv(s.take(3 * px * p.c)), attention(s.take(px * p.c)), lse(s.take(px * p.heads)),
        x_win(s.take(px * p.c)), mid(s.take(px * p.c)), moments3(s.take(2 * px)), u0(s.take(px * p.hd)),
        gate(s.take(px * p.hd)), u(s.take(px * p.hd)), y(s.take(px * p.hd)), rows(s.take(px * p.width)),
        delta(s.take(px * p.hd)), states(s.take((px + CHUNK - 1) / CHUNK * p.hd * p.n)), out_moments(s.take(2 * px)),
        a(s.take(px * p.c)), ffn1(s, px, p.f), ffn2(s, px, p.f) {}
  Saved(const Block& p, Cursor& s) : Saved(p, s, (int64_t)p.h * p.w) {}
};

// The arguments of the operations of one image, gradients included; the callers fill in what flows through.
struct Stages {
  const Block& p;
  const Saved& s;
  int pixels;
  float* scratch;
  float* const* grads;

  Linear linear(int k, int n, const float* x, int weight, float* y) const {
    Linear l{};
    l.tokens = pixels, l.k = k, l.n = n, l.x = x, l.y = y;
    l.weight = p.weights[weight], l.bias = p.weights[weight + 1];
    l.dweight = grads[weight], l.dbias = l.bias ? grads[weight + 1] : nullptr;
    return l;
  }
  void add_norm(Linear& l, int norm, float* moments) const {
    l.gamma = p.weights[norm], l.beta = p.weights[norm + 1], l.moments = moments;
    l.dgamma = grads[norm], l.dbeta = grads[norm + 1];
  }
  Linear qkv(const float* x) const {
    Linear l = linear(p.c, 3 * p.c, x, QKV_W, s.qkv);
    add_norm(l, NORM1_W, s.moments1);
    return l;
  }
  Attention attention() const {
    return {1, p.h, p.w, p.c, p.heads, p.ws, p.shift, s.qkv, p.weights[TABLE], s.attention, s.lse, nullptr, nullptr,
            grads[TABLE]};
  }
  Linear proj(const float* x) const {
    Linear l = linear(p.c, p.c, s.attention, PROJ_W, s.x_win);
    l.residual = x;
    return l;
  }
  Linear fc1(int ffn, const FfnSaved& f, const float* x) const {
    Linear l = linear(p.c, p.f, x, ffn + FC1_W, f.a);
    add_norm(l, ffn + NORM_W, f.moments);
    l.gelu = 1, l.slope = f.slope;
    return l;
  }
  SpatialGate gate(int ffn, const FfnSaved& f) const {
    const auto w = p.weights + ffn;
    const auto g = grads + ffn;
    return {1, p.h, p.w, p.f / 2, f.a, w[GATE_NORM_W], w[GATE_NORM_B], w[GATE_W], w[GATE_B], f.gated, f.gate_moments,
            f.conv, nullptr, nullptr, g[GATE_NORM_W], g[GATE_NORM_B], g[GATE_W], g[GATE_B]};
  }
  Linear fc2(int ffn, const FfnSaved& f, const float* x, int scale, const float* skip, float* y) const {
    Linear l = linear(p.f / 2, p.c, f.gated, ffn + FC2_W, y);
    l.residual = x, l.scale = p.weights[scale], l.skip = skip, l.dscale = grads[scale];
    return l;
  }
  Linear in_proj() const {
    Linear l = linear(p.c, p.hd, s.mid, IN_W, s.u0);
    add_norm(l, NORM3_W, s.moments3);
    return l;
  }
  PositionGate position() const {
    return {1, p.h, p.w, p.hd, s.u0, p.weights[CPE_W], p.weights[CPE_B], s.u, s.gate, nullptr, nullptr, grads[CPE_W],
            grads[CPE_B]};
  }
  Scan scan(int64_t image) const {
    const auto w = p.weights;
    const auto g = grads;
    return {1, pixels, p.hd, p.n, p.rank, p.width, s.u, p.order + image * pixels, p.prompt + image * pixels * p.n,
            w[X_PROJ], w[DT_W], w[DT_B], w[A_LOGS], w[D], s.y, s.rows, s.delta, s.states, nullptr, nullptr,
            p.dprompt + image * pixels * p.n, g[X_PROJ], g[DT_W], g[DT_B], g[A_LOGS], g[D]};
  }
  Linear out_proj() const {
    Linear l = linear(p.hd, p.c, s.y, OUT_W, s.a);
    add_norm(l, OUT_NORM_W, s.out_moments);
    l.residual = s.mid;
    return l;
  }

  // dx += the gradient of LN, fc1, gate and fc2 (whose arguments have dy and dskip).
  void ffn_backward(int ffn, const FfnSaved& f, Linear last, const float* x, float* dx) const {
    SpatialGate middle = gate(ffn, f);
    Linear first = fc1(ffn, f, x);
    float *dgated = scratch, *da = scratch + pixels * p.f;
    last.dx = dgated;
    linear_backward(&last);
    middle.dy = dgated, middle.da = da;
    spatial_gate_backward(&middle);
    first.dy = da, first.dx = dx, first.add_dx = 1;
    linear_backward(&first);
  }
};
}  // namespace

extern "C" int64_t block_saved_floats(const Block* p) { return Saved::in(*p, nullptr).size; }

extern "C" void block_forward(const Block* p) {
  const int pixels = p->h * p->w;
  const int64_t each = block_saved_floats(p);
#pragma omp parallel for num_threads(p->threads) schedule(static)
  for (int64_t image = 0; image < p->images; image++) {
    const Saved s = Saved::in(*p, p->saved + image * each);
    const Stages stage{*p, s, pixels, nullptr, p->grads};
    const float* x = p->x + image * pixels * p->c;
    const Linear steps[] = {stage.qkv(x), stage.proj(x), stage.fc1(FFN1, s.ffn1, s.x_win),
                            stage.fc2(FFN1, s.ffn1, s.x_win, SCALE1, x, s.mid), stage.in_proj(), stage.out_proj(),
                            stage.fc1(FFN2, s.ffn2, s.a),
                            stage.fc2(FFN2, s.ffn2, s.a, SCALE2, s.mid, p->y + image * pixels * p->c)};
    const Attention attention = stage.attention();
    const SpatialGate gate1 = stage.gate(FFN1, s.ffn1), gate2 = stage.gate(FFN2, s.ffn2);
    const PositionGate position = stage.position();
    const Scan scan = stage.scan(image);
    linear_forward(&steps[0]);
    attention_forward(&attention);
    linear_forward(&steps[1]);
    linear_forward(&steps[2]);
    spatial_gate_forward(&gate1);
    linear_forward(&steps[3]);
    linear_forward(&steps[4]);
    position_gate_forward(&position);
    scan_forward(&scan);
    linear_forward(&steps[5]);
    linear_forward(&steps[6]);
    spatial_gate_forward(&gate2);
    linear_forward(&steps[7]);
  }
}

namespace {
void backward_image(const Block& p, int64_t image, float* const* grads) {
  const int pixels = p.h * p.w, c = p.c, wide = 3 * c > 2 * p.f ? 3 * c : 2 * p.f;
  Buffer scratch(pixels * (wide > 2 * p.hd ? wide : 2 * p.hd)), of_a(pixels * c), of_mid(pixels * c);
  const Saved s = Saved::in(p, p.saved + image * block_saved_floats(&p));
  const Stages stage{p, s, pixels, scratch.data(), grads};
  const float *x = p.x + image * pixels * c, *dy = p.dy + image * pixels * c;
  float *da = of_a.data(), *dmid = of_mid.data(), *dx = p.dx + image * pixels * c;
  float *one = scratch.data(), *two = one + pixels * p.hd;

  Linear fc2 = stage.fc2(FFN2, s.ffn2, s.a, SCALE2, s.mid, nullptr);
  std::memcpy(da, dy, sizeof(float) * pixels * c);
  fc2.dy = dy, fc2.dskip = dmid;
  stage.ffn_backward(FFN2, s.ffn2, fc2, s.a, da);

  Linear out = stage.out_proj();
  for (int i = 0; i < pixels * c; i += 16) add_to(dmid + i, load(da + i));
  out.dy = da, out.dx = one;
  linear_backward(&out);
  Scan scan = stage.scan(image);
  scan.dy = one, scan.du = two;
  scan_backward(&scan);
  PositionGate position = stage.position();
  position.dy = two, position.du = one;
  position_gate_backward(&position);
  Linear in = stage.in_proj();
  in.dy = one, in.dx = dmid, in.add_dx = 1;
  linear_backward(&in);

  float* dx_win = dmid;  // mid = x_win + scale1 ⊙ x + ffn1(x_win)
  fc2 = stage.fc2(FFN1, s.ffn1, s.x_win, SCALE1, x, nullptr);
  std::memcpy(da, dmid, sizeof(float) * pixels * c);
  fc2.dy = da, fc2.dskip = dx;
  stage.ffn_backward(FFN1, s.ffn1, fc2, s.x_win, dx_win);

  Linear proj = stage.proj(x);
  for (int i = 0; i < pixels * c; i += 16) add_to(dx + i, load(dx_win + i));
  proj.dy = dx_win, proj.dx = da;
  linear_backward(&proj);
  Attention attention = stage.attention();
  attention.dy = da, attention.dqkv = scratch.data();
  attention_backward(&attention);
  Linear qkv = stage.qkv(x);
  qkv.dy = scratch.data(), qkv.dx = dx, qkv.add_dx = 1;
  linear_backward(&qkv);
}
}  // namespace

extern "C" void block_backward(const Block* p) {
#pragma omp parallel num_threads(p->threads)
  {
    float* grads[WEIGHTS];
    for (int i = 0; i < WEIGHTS; i++) grads[i] = p->grads[i] + omp_get_thread_num() * p->grad_floats;
#pragma omp for schedule(static)
    for (int64_t image = 0; image < p->images; image++) backward_image(*p, image, grads);
  }
}
