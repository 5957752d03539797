// Value by value, four channels at a time.
//
// Workgroup: 256 vectors of 4 channels. Invocation: one vector of the output, from the same place of its inputs.
// Nothing is sequential; no workgroup memory; no barriers. Inputs may be channels in the middle of wider maps, so they
// are read as single words, neighbours in a workgroup reading neighbours; the output is written as vectors, and its
// channels beyond the last hold whatever is not read. Each is float32 or halves (X16, O16, Y16). Not assumed: anything of subgroups or of the order of workgroups.

struct Params {
  pixels: u32,
  channels: u32,
  vectors: u32,
  xStart: u32,
  xStride: u32,
  otherStart: u32,
  otherStride: u32,
  outStride: u32,
}

const ADD = 0u;
const MULTIPLY = 1u;
const AFFINE = 2u;
const SCALE_ADD = 3u;
const GATE = 4u;
const ACTIVATE = 5u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read> other: array<u32>;
/// Scales of all channels, then offsets.
@group(0) @binding(3) var<storage, read> factors: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec2u>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
) {
  let index = groupIndex(group, groups) * 256u + lane;
  let pixel = index / params.vectors;
  let vector = index % params.vectors;
  if pixel >= params.pixels {
    return;
  }
  let channel = vector * 4u;
  let last = params.channels - 1u;
  var a = vec4f();
  var b = vec4f();
  for (var i = 0u; i < 4u; i++) {
    let c = min(channel + i, last);
    let at = params.xStart + pixel * params.xStride + c;
    a[i] = numberOf(x[wordOf(at, X16)], at, X16);
    if OPERATION != AFFINE && OPERATION != ACTIVATE {
      let otherAt = params.otherStart + pixel * params.otherStride + c;
      b[i] = numberOf(other[wordOf(otherAt, O16)], otherAt, O16);
    }
  }
  var value = a;
  switch OPERATION {
    case ADD: { value = a + b; }
    case MULTIPLY: { value = a * b; }
    case AFFINE: { value = a * factors[vector] + factors[params.vectors + vector]; }
    case SCALE_ADD: { value = a * factors[vector] + b; }
    case GATE: { value = b * activate4(SIGMOID, 0.0, a); }
    default: { value = activate4(ACTIVATION, bitcast<f32>(SLOPE_BITS), a); }
  }
  let to = pixel * (params.outStride / 4u) + vector;
  if Y16 == 1u {
    y[to] = fourHalvesOf(value);
  } else {
    y[2u * to] = bitcast<vec2u>(value.xy);
    y[2u * to + 1u] = bitcast<vec2u>(value.zw);
  }
}
