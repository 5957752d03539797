// Depthwise convolution: one filter a channel, zero outside the map.
//
// Workgroup: 128 vectors of 4 channels, channels first, then pixels in raster order. Invocation: one vector of the
// output; it walks the taps row by row, in float32. Neighbours in a workgroup read neighbouring channels, and what
// overlaps between pixels comes from the cache. How four channels of the input are read is another file's: single numbers, or whole
// vectors where they lie so. Input and result are float32 or halves (X16, Y16). No workgroup memory, no barriers.
// Not assumed: anything of subgroups or of the order of workgroups.

struct Params {
  height: u32,
  width: u32,
  channels: u32,
  vectors: u32,
  start: u32,
  stride: u32,
  outStride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
/// [taps][channels padded to 4], then the bias.
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec2u>;

@compute @workgroup_size(128)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
) {
  let index = groupIndex(group, groups) * 128u + lane;
  let pixel = index / params.vectors;
  let vector = index % params.vectors;
  if pixel >= params.height * params.width {
    return;
  }
  let row = i32(pixel / params.width) - i32(KERNEL / 2u);
  let column = i32(pixel % params.width) - i32(KERNEL / 2u);
  let channel = vector * 4u;
  var sum = weights[KERNEL * KERNEL * params.vectors + vector];
  for (var ky = 0u; ky < KERNEL; ky++) {
    let sourceRow = row + i32(ky);
    if sourceRow < 0 || sourceRow >= i32(params.height) {
      continue;
    }
    for (var kx = 0u; kx < KERNEL; kx++) {
      let sourceColumn = column + i32(kx);
      if sourceColumn < 0 || sourceColumn >= i32(params.width) {
        continue;
      }
      let at = params.start + (u32(sourceRow) * params.width + u32(sourceColumn)) * params.stride;
      sum = fma(fourAt(at, channel), weights[(ky * KERNEL + kx) * params.vectors + vector], sum);
    }
  }
  let to = pixel * (params.outStride / 4u) + vector;
  if Y16 == 1u {
    y[to] = fourHalvesOf(sum);
  } else {
    y[2u * to] = bitcast<vec2u>(sum.xy);
    y[2u * to + 1u] = bitcast<vec2u>(sum.zw);
  }
}
