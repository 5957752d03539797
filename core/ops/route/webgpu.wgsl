// The class of a pixel: the largest of its logits plus noise, the lowest token on a tie.
//
// Workgroup: 64 pixels in raster order. Invocation: one pixel; it walks its tokens, four at a time, since one hash (pcg4d,
// Jarzynski and Olano, 2020) makes noise for four. ROUTING chooses the noise: none, given, hashed from seed, block,
// place in the picture and token, or classes that are given. No workgroup memory, no barriers.
// Logits are taken relative to the largest: what can win is near it, and near it the difference is exact, so that scores
// are as exact as the noise however large the logits are. The noise is -log(-log(1 - w)), with a series where 1 - w would
// cancel: exact to a few units of 1e-7. NaN leaves class 0. Not assumed: anything of subgroups.

struct Params {
  pixels: u32,
  width: u32,
  tokens: u32,
  block: u32,
  start: u32,
  stride: u32,
}

struct Run {
  seed: u32,
  originX: u32,
  originY: u32,
}

const ARGMAX = 0u;
const REPLAY = 1u;
const SEEDED = 2u;
const FORCED = 3u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
/// Noise [pixels, tokens] as float32 bits, or classes [pixels].
@group(0) @binding(2) var<storage, read> given: array<u32>;
@group(0) @binding(3) var<storage, read> run: Run;
@group(0) @binding(4) var<storage, read_write> classes: array<u32>;

fn hash4(x: u32, y: u32, tokenGroup: u32) -> vec4u {
  let key = run.seed * 0x9e3779b9u + params.block;
  var v = vec4u(x, y, tokenGroup, key) * 1664525u + 1013904223u;
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  v ^= v >> vec4u(16u);
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  return v;
}

/// A Gumbel(0, 1) sample of the upper 23 bits of a hash.
fn gumbel(hash: u32) -> f32 {
  let w = (f32(hash >> 9u) + 0.5) * 1.1920928955078125e-7;
  var p = fma(w, 1.0 / 6.0, 1.0 / 5.0);
  p = fma(p, w, 1.0 / 4.0);
  p = fma(p, w, 1.0 / 3.0);
  p = fma(p, w, 0.5);
  p = fma(p, w, 1.0);
  let exponential = select(-lnExact(1.0 - w), p * w, w < 0.0625);
  return -lnExact(exponential);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
) {
  let pixel = groupIndex(group, groups) * 64u + lane;
  if pixel >= params.pixels {
    return;
  }
  if ROUTING == FORCED {
    classes[pixel] = given[pixel];
    return;
  }
  let row = params.start + pixel * params.stride;
  var highest = logits[row];
  for (var token = 1u; token < params.tokens; token++) {
    highest = max(highest, logits[row + token]);
  }
  var best = -1e38;
  var chosen = 0u;
  for (var first = 0u; first < params.tokens; first += 4u) {
    var noise = vec4u();
    if ROUTING == SEEDED {
      noise = hash4(run.originX + pixel % params.width, run.originY + pixel / params.width, first / 4u);
    }
    for (var i = 0u; i < 4u; i++) {
      let token = first + i;
      if token < params.tokens {
        var score = logits[row + token] - highest;
        if ROUTING == SEEDED {
          score += gumbel(noise[i]);
        } else if ROUTING == REPLAY {
          // As the other executors add it: the fixtures' classes come from this sum.
          score = logits[row + token] + bitcast<f32>(given[pixel * params.tokens + token]);
        }
        if score > best {
          best = score;
          chosen = token;
        }
      }
    }
  }
  classes[pixel] = chosen;
}
