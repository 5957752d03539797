// Layer normalisation over the channels of each pixel.
//
// Workgroup: 8 pixels. Invocation: every eighth pair of channels of one pixel: 8 neighbours read neighbouring pairs. The
// second of the last pair may lie behind the last channel, where it counts for nothing. The row is read three times, for mean, variance (from the mean, as the formula says: no difference of large squares) and result;
// the cache has it by the second. The second pass also finds by how much rounding misplaced the mean, and puts that right:
// where all channels are equal, nothing but the bias must come out. Partial sums meet in workgroup memory, and everyone adds
// the 8 of its pixel in the same order. Input and result are float32 or halves (X16, Y16), all sums float32. Workgroup memory: 768 bytes. Barriers: two, in uniform control flow.
// Not assumed: subgroups, order of workgroups.

struct Params {
  pixels: u32,
  channels: u32,
  start: u32,
  stride: u32,
  outStride: u32,
}

const LANES = 8u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
/// Weights, then biases.
@group(0) @binding(2) var<storage, read> factors: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<u32>;

var<workgroup> sums: array<f32, 64>;
/// Sums and squares of differences from the mean.
var<workgroup> moments: array<vec2f, 64>;

/// Two channels, the last one again behind the last.
fn pairAt(rowStart: u32, c: u32) -> vec2f {
  let at = rowStart + c;
  let next = rowStart + min(c + 1u, params.channels - 1u);
  return vec2f(numberOf(x[wordOf(at, X16)], at, X16), numberOf(x[wordOf(next, X16)], next, X16));
}

/// What the channels of a pair count.
fn presence(c: u32) -> vec2f {
  return vec2f(1.0, select(0.0, 1.0, c + 1u < params.channels));
}

@compute @workgroup_size(LANES, 8)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let pixel = groupIndex(group, groups) * 8u + local.y;
  let isInside = pixel < params.pixels;
  let rowStart = params.start + select(0u, pixel, isInside) * params.stride;
  let row = local.y * LANES;
  let count = f32(params.channels);
  var sum = 0.0;
  for (var c = 2u * local.x; c < params.channels; c += 2u * LANES) {
    let pair = pairAt(rowStart, c) * presence(c);
    sum += pair.x + pair.y;
  }
  sums[row + local.x] = sum;
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < LANES; i++) {
    total += sums[row + i];
  }
  let mean = total / count;
  var moment = vec2f();
  for (var c = 2u * local.x; c < params.channels; c += 2u * LANES) {
    let differences = (pairAt(rowStart, c) - mean) * presence(c);
    moment += vec2f(differences.x + differences.y, dot(differences, differences));
  }
  moments[row + local.x] = moment;
  workgroupBarrier();
  if !isInside {
    return;
  }
  var all = vec2f();
  for (var i = 0u; i < LANES; i++) {
    all += moments[row + i];
  }
  all /= count;
  let factor = 1.0 / sqrt(max(all.y - all.x * all.x, 0.0) + 1e-5);
  for (var c = 2u * local.x; c < params.channels; c += 2u * LANES) {
    let next = min(c + 1u, params.channels - 1u);
    let weight = vec2f(factors[c], factors[next]);
    let bias = vec2f(factors[params.channels + c], factors[params.channels + next]);
    let pair = fma((pairAt(rowStart, c) - mean - all.x) * factor, weight, bias);
    let to = pixel * params.outStride + c;
    if Y16 == 1u {
      y[to / 2u] = halvesOf(pair);
    } else {
      y[to] = bitcast<u32>(pair.x);
      y[to + 1u] = bitcast<u32>(pair.y);
    }
  }
}
