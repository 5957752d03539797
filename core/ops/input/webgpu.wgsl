// Between planar pictures and maps. `pad`: planar [C, h, w] to a map, extended at the bottom and right by mirroring,
// edges repeated. `crop`: a map to planar [C, h, w], its upper left part.
//
// Pictures are float32, and so is the map of `pad`; that of `crop` may be halves (X16).
// Workgroup: 256 values, channels first (pad) or pixels first (crop). Invocation: one value, copied. No workgroup
// memory, no barriers. Not assumed: anything of subgroups or of the order of workgroups.

struct Params {
  /// Size of the map.
  width: u32,
  pixels: u32,
  channels: u32,
  /// Size of the picture.
  pictureHeight: u32,
  pictureWidth: u32,
  start: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

fn mirrored(position: u32, size: u32) -> u32 {
  let folded = position % (2u * size);
  return min(folded, 2u * size - 1u - folded);
}

@compute @workgroup_size(256)
fn pad(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
) {
  let index = groupIndex(group, groups) * 256u + lane;
  let pixel = index / params.channels;
  let c = index % params.channels;
  if pixel >= params.pixels {
    return;
  }
  let row = mirrored(pixel / params.width, params.pictureHeight);
  let column = mirrored(pixel % params.width, params.pictureWidth);
  y[pixel * params.stride + c] = x[(c * params.pictureHeight + row) * params.pictureWidth + column];
}

@compute @workgroup_size(256)
fn crop(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
) {
  let index = groupIndex(group, groups) * 256u + lane;
  let area = params.pictureHeight * params.pictureWidth;
  let c = index / area;
  if c >= params.channels {
    return;
  }
  let row = index % area / params.pictureWidth;
  let column = index % params.pictureWidth;
  let at = params.start + (row * params.width + column) * params.stride + c;
  y[index] = bitcast<u32>(numberOf(x[wordOf(at, X16)], at, X16));
}
