// Window attention with shift, mask and relative position bias, read from qkv in place. Sixteen queries per vector;
// scores are in base 2. The backward pass recomputes the soft-max from the saved log-sum-exp: no score is stored.
#include <type_traits>

#include "ops.h"
#include "simd.h"

namespace {

// Where the tokens of every window lie in the unshifted image, and which may attend to each other.
struct Windows {
  int count, n;
  std::vector<int> at;
  Buffer label;
  std::vector<bool> masked;
  explicit Windows(const Attention& p) : count(p.h / p.ws * (p.w / p.ws)), n(p.ws * p.ws) {
    const int ws = p.ws, ww = p.w / ws;
    for (int window = 0; window < count; window++) {
      const int wy = window / ww, wx = window % ww;
      masked.push_back(p.shift && (wy + 1 == p.h / ws || wx + 1 == ww));
      for (int y = wy * ws; y < wy * ws + ws; y++)
        for (int x = wx * ws; x < wx * ws + ws; x++) {
          at.push_back((y + p.shift) % p.h * p.w + (x + p.shift) % p.w);
          label.push_back(3 * ((y >= p.h - ws) + (y >= p.h - p.shift)) + (x >= p.w - ws) + (x >= p.w - p.shift));
        }
    }
  }
};

// Calls use(place, row) for every (key, query) of a window: place in [key][query], row of the position bias table.
template <class Use>
INLINE void each_pair(int ws, Use use) {
  int place = 0;
  for (int yk = 0; yk < ws; yk++)
    for (int xk = 0; xk < ws; xk++)
      for (int yq = 0; yq < ws; yq++)
        for (int xq = 0; xq < ws; xq++) use(place++, (yq - yk + ws - 1) * (2 * ws - 1) + xq - xk + ws - 1);
}

// The table of one head as [key][query], in base 2.
Buffer expand(const Attention& p, int head) {
  Buffer bias(p.ws * p.ws * p.ws * p.ws);
  each_pair(p.ws, [&](int place, int row) { bias[place] = p.table[row * p.heads + head] * LOG2E; });
  return bias;
}

// Sixteen rows of eight -> eight columns of sixteen, `stride` floats apart.
INLINE void transpose_16x8(const float* rows, float* columns, int stride) {
  v16 a[8], b[8];  // a[i]: rows i and i + 8
  for (int i = 0; i < 8; i++) {
    std::memcpy(&a[i], rows + i * 8, 32);
    std::memcpy((float*)&a[i] + 8, rows + (i + 8) * 8, 32);
  }
  const i16 low1 = {0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30};
  const i16 low2 = {0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29};
  const i16 low4 = {0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27};
  for (int i = 0; i < 8; i += 2) {
    b[i] = __builtin_shuffle(a[i], a[i + 1], low1);
    b[i + 1] = __builtin_shuffle(a[i], a[i + 1], low1 + 1);
  }
  for (int i = 0; i < 8; i++) {
    const int j = i & ~2;
    a[i] = i & 2 ? __builtin_shuffle(b[j], b[j + 2], low2 + 2) : __builtin_shuffle(b[j], b[j + 2], low2);
  }
  for (int i = 0; i < 4; i++) {
    store(columns + i * stride, __builtin_shuffle(a[i], a[i + 4], low4));
    store(columns + (i + 4) * stride, __builtin_shuffle(a[i], a[i + 4], low4 + 4));
  }
}

// The rows [tokens][HP] of one head of one window, HP = HD padded to whole vectors, and transposed [HD][tokens].
template <int HD>
struct Rows {
  static constexpr int HP = HD <= 8 ? 8 : 16;
  using Row = std::conditional_t<HP == 8, v8, v16>;
  int n;
  Buffer rows, columns;
  explicit Rows(int n) : n(n), rows(n * HP), columns(n * HD) {}
  void read(const float* from, int stride, const int* at, float factor = 1) {
    for (int t = 0; t < n; t++) {
      Row row = {};
      std::memcpy(&row, from + at[t] * stride, HD * sizeof(float));
      row *= factor;
      std::memcpy(&rows[t * HP], &row, sizeof(Row));
    }
  }
  void write(float* to, int stride, const int* at, float factor = 1) const {
    for (int t = 0; t < n; t++) {
      Row row;
      std::memcpy(&row, &rows[t * HP], sizeof(Row));
      row *= factor;
      std::memcpy(to + at[t] * stride, &row, HD * sizeof(float));
    }
  }
  void transpose() {
    if constexpr (HD == 8) {
      for (int t = 0; t < n; t += 16) transpose_16x8(&rows[t * 8], &columns[t], n);
      return;
    }
    for (int t = 0; t < n; t++)
      for (int e = 0; e < HD; e++) columns[e * n + t] = rows[t * HP + e];
  }
  void clear() { std::memset(rows.data(), 0, rows.size() * sizeof(float)); }
};

// The scores of sixteen queries against key j.
template <int HD>
INLINE v16 score(const v16* query, const float* key, const float* bias, bool masked, const float* label, int i, int j) {
  v16 s = load(bias);
  for (int e = 0; e < HD; e++) s += query[e] * key[e];
  if (masked) s += load(label + i) != label[j] ? splat(-100 * LOG2E) : v16{};
  return s;
}

// to[a][e] += Σ_b m[a·step_a + b·step_b] rows[b][e], for `count` rows a (a multiple of 8) and `over` rows b.
template <class V>
INLINE void collect(const float* m, int step_a, int step_b, const float* rows, float* to, int count, int over) {
  constexpr int HP = sizeof(V) / sizeof(float);
  for (int a = 0; a < count; a += 8) {
    V acc[8];
    std::memcpy(acc, to + a * HP, sizeof(acc));
    for (int b = 0; b < over; b++) {
      V row;
      std::memcpy(&row, rows + b * HP, sizeof(V));
      for (int i = 0; i < 8; i++) acc[i] += m[(a + i) * step_a + b * step_b] * row;
    }
    std::memcpy(to + a * HP, acc, sizeof(acc));
  }
}

template <int HD>
void forward(const Attention& p) {
  const Windows windows(p);
  const int n = windows.n, pixels = p.h * p.w;
  Rows<HD> q(n), k(n), v(n), y(n);
  constexpr int HP = Rows<HD>::HP;
  using Row = typename Rows<HD>::Row;
  Buffer weights(n * 16);  // [key][16 queries]
  for (int head = 0; head < p.heads; head++) {
    const Buffer bias = expand(p, head);
    for (int64_t image = 0; image < p.images; image++)
      for (int window = 0; window < windows.count; window++) {
        const int* at = &windows.at[window * n];
        const float *label = &windows.label[window * n];
        const float* qkv = p.qkv + image * pixels * 3 * p.c + head * HD;
        float* lse = p.lse + ((image * windows.count + window) * p.heads + head) * n;
        const bool masked = windows.masked[window];
        q.read(qkv, 3 * p.c, at, LOG2E / std::sqrt((float)HD));
        k.read(qkv + p.c, 3 * p.c, at);
        v.read(qkv + 2 * p.c, 3 * p.c, at);
        q.transpose();
        y.clear();
        for (int i = 0; i < n; i += 16) {
          v16 query[HD], most = splat(-1e30f), total = {};
          for (int e = 0; e < HD; e++) query[e] = load(&q.columns[e * n + i]);
          for (int j = 0; j < n; j++) {
            v16 s = score<HD>(query, &k.rows[j * HP], &bias[j * n + i], masked, label, i, j);
            most = vmax(most, s);
            store(&weights[j * 16], s);
          }
          for (int j = 0; j < n; j++) {
            v16 weight = vexp2(load(&weights[j * 16]) - most);
            total += weight;
            store(&weights[j * 16], weight);
          }
          store(lse + i, most + vlog(total) * LOG2E);
          collect<Row>(weights.data(), 1, 16, v.rows.data(), &y.rows[i * HP], 16, n);
          for (int l = 0; l < 16; l++)
            for (int e = 0; e < HP; e++) y.rows[(i + l) * HP + e] /= total[l];
        }
        y.write(p.y + image * pixels * p.c + head * HD, p.c, at);
      }
  }
}

template <int HD>
void backward(const Attention& p) {
  const Windows windows(p);
  const int n = windows.n, pixels = p.h * p.w;
  Rows<HD> q(n), k(n), v(n), y(n), dy(n), dq(n), dk(n), dv(n);
  constexpr int HP = Rows<HD>::HP;
  using Row = typename Rows<HD>::Row;
  Buffer weights(n * 16), dscores(n * 16);  // [key][16 queries]
  for (int head = 0; head < p.heads; head++) {
    const Buffer bias = expand(p, head);
    Buffer dbias(n * n);
    for (int64_t image = 0; image < p.images; image++)
      for (int window = 0; window < windows.count; window++) {
        const int* at = &windows.at[window * n];
        const float *label = &windows.label[window * n];
        const float* qkv = p.qkv + image * pixels * 3 * p.c + head * HD;
        const float* lse = p.lse + ((image * windows.count + window) * p.heads + head) * n;
        const int64_t out = image * pixels * p.c + head * HD;
        float *dqkv = p.dqkv + image * pixels * 3 * p.c + head * HD;
        const bool masked = windows.masked[window];
        q.read(qkv, 3 * p.c, at, LOG2E / std::sqrt((float)HD));
        k.read(qkv + p.c, 3 * p.c, at);
        v.read(qkv + 2 * p.c, 3 * p.c, at);
        y.read(p.y + out, p.c, at);
        dy.read(p.dy + out, p.c, at);
        q.transpose();
        y.transpose();
        dy.transpose();
        dq.clear();
        dk.clear();
        dv.clear();
        for (int i = 0; i < n; i += 16) {
          v16 query[HD], dout[HD], norm = load(lse + i), inner = {};
          for (int e = 0; e < HD; e++) {
            query[e] = load(&q.columns[e * n + i]);
            dout[e] = load(&dy.columns[e * n + i]);
            inner -= dout[e] * load(&y.columns[e * n + i]);
          }
          for (int j = 0; j < n; j++) {
            v16 s = score<HD>(query, &k.rows[j * HP], &bias[j * n + i], masked, label, i, j);
            v16 weight = vexp2(s - norm), d = inner;
            for (int e = 0; e < HD; e++) d += dout[e] * v.rows[j * HP + e];
            d *= weight;
            store(&weights[j * 16], weight);
            store(&dscores[j * 16], d);
            add_to(&dbias[j * n + i], d);
          }
          collect<Row>(dscores.data(), 16, 1, &q.rows[i * HP], dk.rows.data(), n, 16);
          collect<Row>(weights.data(), 16, 1, &dy.rows[i * HP], dv.rows.data(), n, 16);
          collect<Row>(dscores.data(), 1, 16, k.rows.data(), &dq.rows[i * HP], 16, n);
        }
        dq.write(dqkv, 3 * p.c, at, 1 / std::sqrt((float)HD));
        dk.write(dqkv + p.c, 3 * p.c, at, LN2);  // q carries a factor log2 e
        dv.write(dqkv + 2 * p.c, 3 * p.c, at);
      }
    each_pair(p.ws, [&](int place, int row) { p.dtable[row * p.heads + head] += dbias[place]; });
  }
}
}  // namespace

extern "C" void attention_forward(const Attention* p) {
  switch (p->c / p->heads) {
    case 4: return forward<4>(*p);
    case 8: return forward<8>(*p);
    case 12: return forward<12>(*p);
    case 16: return forward<16>(*p);
  }
}

extern "C" void attention_backward(const Attention* p) {
  switch (p->c / p->heads) {
    case 4: return backward<4>(*p);
    case 8: return backward<8>(*p);
    case 12: return backward<12>(*p);
    case 16: return backward<16>(*p);
  }
}
