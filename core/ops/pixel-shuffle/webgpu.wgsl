// A picture enlarged by copying numbers: from factor² channels for each of the output's (pixel shuffle), or from the
// same channel, repeated (nearest neighbour, upsample-nearest): SHUFFLE is 1 or 0.
//
// Workgroup: 256 pairs of channels of the output, channels first, then pixels in raster order. Invocation: one pair, of
// which the second may lie behind the last channel, where nothing is read. Neighbours write neighbours; reads are scattered
// over a few rows of the input. Both are float32 or halves (X16, Y16). No workgroup memory, no barriers.
// Not assumed: anything of subgroups or of the order of workgroups.

struct Params {
  width: u32,
  pixels: u32,
  channels: u32,
  factor: u32,
  start: u32,
  stride: u32,
  outStride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
) {
  let index = groupIndex(group, groups) * 256u + lane;
  let pairs = (params.channels + 1u) / 2u;
  let pixel = index / pairs;
  let first = index % pairs * 2u;
  if pixel >= params.pixels {
    return;
  }
  let row = pixel / params.width;
  let column = pixel % params.width;
  let sourcePixel = (row / params.factor) * (params.width / params.factor) + column / params.factor;
  let subPixel = (row % params.factor) * params.factor + column % params.factor;
  var pair = vec2f();
  for (var i = 0u; i < 2u; i++) {
    let c = min(first + i, params.channels - 1u);
    let sourceChannel = select(c, c * params.factor * params.factor + subPixel, SHUFFLE == 1u);
    let at = params.start + sourcePixel * params.stride + sourceChannel;
    pair[i] = numberOf(x[wordOf(at, X16)], at, X16);
  }
  let to = pixel * params.outStride + first;
  if Y16 == 1u {
    y[to / 2u] = halvesOf(pair);
  } else {
    y[to] = bitcast<u32>(pair.x);
    y[to + 1u] = bitcast<u32>(pair.y);
  }
}
