// softmax(q · k / √d + bias + mask) · v of one head inside one (shifted) window; scores are never written to memory.
//
// Workgroup: GROUP queries of one window and head (a window of 16 × 16 is one workgroup, larger ones several). Invocation:
// one query: q, the running sum of v and the running maximum and sum of the softmax stay in registers. The keys are walked
// KEYS at a time: the workgroup stages k and v, and of each key its place in the window and the side of the roll it comes
// from; then every invocation goes over them in order. The softmax is online (Milakov and Gimelshein, 2018): when a larger
// score comes, what was summed is scaled down by 2^(old − new); scores carry a factor log2 e, so that exp2 does for e^x.
// The shift is modular indexing, the mask a comparison of sides: no rolled copy, no gathered windows.
// Workgroup memory: KEYS · (32 HEAD4 + 4) bytes, 16384 at most. Barriers: two for KEYS keys, in uniform control flow.
// Input and result are float32 or halves (X16, Y16; only where a head is an even number of channels, since two share a
// word), scores and sums always float32. The maximum starts at −1e30, not −∞. Not assumed: subgroups, order of workgroups, a head size that is a multiple of 4.

struct Params {
  height: u32,
  width: u32,
  window: u32,
  heads: u32,
  headSize: u32,
  shift: u32,
  start: u32,
  stride: u32,
  outStride: u32,
  /// Groups of queries in a window.
  queryGroups: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<u32>;
/// [heads][(2 window - 1)²], times log2 e.
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<u32>;

var<workgroup> keys: array<vec4f, KEYS * HEAD4>;
var<workgroup> values: array<vec4f, KEYS * HEAD4>;
/// Place in the window, 2 window - 1 columns wide, and above 16 bits the side of the roll.
var<workgroup> places: array<u32, KEYS>;

const LOG2E = 1.4426950408889634;

/// Pixel of a place of a window.
fn pixelOf(window: vec2u, place: vec2u) -> u32 {
  let at = (window * params.window + place + params.shift) % vec2u(params.width, params.height);
  return at.y * params.width + at.x;
}

/// The mask's bands of a rolled axis: before the last window, its first part, its second part.
fn side(position: u32, size: u32) -> u32 {
  return select(0u, 1u, position + params.window >= size) + select(0u, 1u, position + params.window / 2u >= size);
}

fn sides(window: vec2u, place: vec2u) -> u32 {
  if params.shift == 0u {
    return 0u;
  }
  let at = window * params.window + place;
  return 3u * side(at.y, params.height) + side(at.x, params.width);
}

/// Four channels of a head, zero beyond its last.
fn headChannels(row: u32, vector: u32) -> vec4f {
  var four = vec4f();
  for (var i = 0u; i < 4u; i++) {
    if vector * 4u + i < params.headSize {
      let at = row + vector * 4u + i;
      four[i] = numberOf(qkv[wordOf(at, X16)], at, X16);
    }
  }
  return four;
}

@compute @workgroup_size(GROUP)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
) {
  var number = groupIndex(group, groups);
  let windows = vec2u(params.width, params.height) / params.window;
  let head = number % params.heads;
  number /= params.heads;
  let query = number % params.queryGroups * GROUP + lane;
  number /= params.queryGroups;
  let window = vec2u(number % windows.x, number / windows.x);
  let area = params.window * params.window;
  let channels = params.heads * params.headSize;
  let span = 2u * params.window - 1u;
  // Queries that do not exist work as the last one, so that all reach the barriers.
  let own = min(query, area - 1u);
  let ownPlace = vec2u(own % params.window, own / params.window);
  let ownPixel = pixelOf(window, ownPlace);
  let ownSide = sides(window, ownPlace);
  let biasFrom = head * span * span + (ownPlace.y + params.window - 1u) * span + ownPlace.x + params.window - 1u;
  let headFrom = params.start + head * params.headSize;
  let scale = LOG2E / sqrt(f32(params.headSize));

  var q: array<vec4f, HEAD4>;
  var sum: array<vec4f, HEAD4>;
  for (var e = 0u; e < HEAD4; e++) {
    q[e] = headChannels(headFrom + ownPixel * params.stride, e) * scale;
    sum[e] = vec4f();
  }
  var highest = -1e30;
  var total = 0.0;
  for (var first = 0u; first < area; first += KEYS) {
    let count = min(KEYS, area - first);
    workgroupBarrier();
    for (var at = lane; at < count * HEAD4; at += GROUP) {
      let key = first + at / HEAD4;
      let row = headFrom + pixelOf(window, vec2u(key % params.window, key / params.window)) * params.stride + channels;
      keys[at] = headChannels(row, at % HEAD4);
      values[at] = headChannels(row + channels, at % HEAD4);
    }
    for (var at = lane; at < count; at += GROUP) {
      let place = vec2u((first + at) % params.window, (first + at) / params.window);
      places[at] = (sides(window, place) << 16u) | (place.y * span + place.x);
    }
    workgroupBarrier();
    for (var key = 0u; key < count; key++) {
      var dots = vec4f();
      for (var e = 0u; e < HEAD4; e++) {
        dots = fma(q[e], keys[key * HEAD4 + e], dots);
      }
      let place = places[key];
      let mask = select(0.0, -100.0 * LOG2E, (place >> 16u) != ownSide);
      let score = dots.x + dots.y + (dots.z + dots.w) + bias[biasFrom - (place & 0xffffu)] + mask;
      if score > highest {
        let shrink = exp2(highest - score);
        total *= shrink;
        for (var e = 0u; e < HEAD4; e++) {
          sum[e] *= shrink;
        }
        highest = score;
      }
      let weight = exp2(score - highest);
      total += weight;
      for (var e = 0u; e < HEAD4; e++) {
        sum[e] = fma(vec4f(weight), values[key * HEAD4 + e], sum[e]);
      }
    }
  }
  if query >= area {
    return;
  }
  let to = ownPixel * params.outStride + head * params.headSize;
  if Y16 == 1u {
    for (var c = 0u; c < params.headSize; c += 2u) {
      let four = sum[c / 4u];
      y[(to + c) / 2u] = halvesOf(select(four.zw, four.xy, c % 4u == 0u) / total);
    }
    return;
  }
  for (var c = 0u; c < params.headSize; c++) {
    y[to + c] = bitcast<u32>(sum[c / 4u][c % 4u] / total);
  }
}
