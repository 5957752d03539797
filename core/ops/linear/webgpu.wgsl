// Products of pixels and weights: linear layers (KERNEL = 1) and dense convolutions, with what follows them.
//
// Workgroup: 64 pixels in raster order times 4 COLUMNS outputs. Invocation: 4 pixels times 4 outputs, in registers.
// The sum runs over depth = KERNEL² · channels in blocks of 16, one after the other: the workgroup stages 16 × 64 inputs
// (a convolution's neighbours are gathered here, zero outside the map; no unfolded copy exists) and 16 × 4 COLUMNS
// weights, then every invocation adds 16 outer products of a 4-vector by a 4-vector. At the end it adds the bias, and
// applies the activation, or adds the residual.
// Inputs, weights, residual and result are float32 or halves (X16, W16, R16, Y16), the sums always float32.
// Workgroup memory: 4352 + 256 COLUMNS bytes, 8448 at most. Barriers: two a block, all in uniform control flow.
// Sums are float32, in the order of depth. Depth is padded to the block by zeros on both sides, so that stale memory
// never meets a zero weight. Not assumed: subgroups, order of workgroups, zeroed workgroup memory.

struct Params {
  height: u32,
  width: u32,
  channels: u32,
  start: u32,
  stride: u32,
  /// Groups of 4 COLUMNS outputs.
  tiles: u32,
  outputs: u32,
  outStride: u32,
  residualStart: u32,
  residualStride: u32,
}

const ROWS = 16u;
const BLOCK = 16u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
/// [depth padded to 16][outputs padded to whole tiles], then the bias.
@group(0) @binding(2) var<storage, read> weights: array<vec2u>;
@group(0) @binding(3) var<storage, read> residual: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec2u>;

/// One vector longer a row than is used, lest all that are staged together lie in the same banks of memory.
const INPUT_ROW = ROWS + 1u;

var<workgroup> inputs: array<vec4f, BLOCK * INPUT_ROW>;
var<workgroup> factors: array<vec4f, BLOCK * COLUMNS>;

fn numberAt(at: u32) -> f32 {
  return numberOf(x[wordOf(at, X16)], at, X16);
}

/// Four weights.
fn weightsAt(vector: u32) -> vec4f {
  if W16 == 1u {
    return fourOf(weights[vector]);
  }
  return bitcast<vec4f>(vec4u(weights[2u * vector], weights[2u * vector + 1u]));
}

/// Input number k of the sum of a pixel.
fn inputAt(pixel: u32, k: u32) -> f32 {
  if KERNEL == 1u {
    return numberAt(params.start + pixel * params.stride + k);
  }
  let tap = k / params.channels;
  let row = i32(pixel / params.width + tap / KERNEL) - i32(KERNEL / 2u);
  let column = i32(pixel % params.width + tap % KERNEL) - i32(KERNEL / 2u);
  if row < 0 || row >= i32(params.height) || column < 0 || column >= i32(params.width) {
    return 0.0;
  }
  return numberAt(params.start + (u32(row) * params.width + u32(column)) * params.stride + k % params.channels);
}

@compute @workgroup_size(COLUMNS, ROWS)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) lane: u32,
) {
  let number = groupIndex(group, groups);
  let tile = number % params.tiles;
  let first = number / params.tiles * (4u * ROWS);
  let pixels = params.height * params.width;
  let depth = KERNEL * KERNEL * params.channels;
  let blocks = (depth + BLOCK - 1u) / BLOCK;
  let columns = params.tiles * COLUMNS;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var block = 0u; block < blocks; block++) {
    workgroupBarrier();
    for (var at = lane; at < BLOCK * ROWS; at += COLUMNS * ROWS) {
      let k = block * BLOCK + at % BLOCK;
      let pixel = first + at / BLOCK * 4u;
      var four = vec4f();
      if k < depth {
        for (var i = 0u; i < 4u; i++) {
          if pixel + i < pixels {
            four[i] = inputAt(pixel + i, k);
          }
        }
      }
      inputs[at % BLOCK * INPUT_ROW + at / BLOCK] = four;
    }
    factors[lane] = weightsAt((block * BLOCK + lane / COLUMNS) * columns + tile * COLUMNS + lane % COLUMNS);
    workgroupBarrier();
    for (var k = 0u; k < BLOCK; k++) {
      let w = factors[k * COLUMNS + local.x];
      let v = inputs[k * INPUT_ROW + local.y];
      sum0 = fma(vec4f(v.x), w, sum0);
      sum1 = fma(vec4f(v.y), w, sum1);
      sum2 = fma(vec4f(v.z), w, sum2);
      sum3 = fma(vec4f(v.w), w, sum3);
    }
  }
  let column = tile * COLUMNS + local.x;
  let bias = weightsAt(blocks * BLOCK * columns + column);
  let pixel = first + local.y * 4u;
  store(pixel, column, sum0 + bias);
  store(pixel + 1u, column, sum1 + bias);
  store(pixel + 2u, column, sum2 + bias);
  store(pixel + 3u, column, sum3 + bias);
}

fn store(pixel: u32, column: u32, value: vec4f) {
  if pixel >= params.height * params.width || column * 4u >= params.outputs {
    return;
  }
  var result = activate4(ACTIVATION, bitcast<f32>(SLOPE_BITS), value);
  if RESIDUAL == 1u {
    for (var i = 0u; i < 4u; i++) {
      let channel = min(column * 4u + i, params.outputs - 1u);
      let at = params.residualStart + pixel * params.residualStride + channel;
      result[i] += numberOf(residual[wordOf(at, R16)], at, R16);
    }
  }
  let vector = pixel * (params.outStride / 4u) + column;
  if Y16 == 1u {
    y[vector] = fourHalvesOf(result);
  } else {
    y[2u * vector] = bitcast<vec2u>(result.xy);
    y[2u * vector + 1u] = bitcast<vec2u>(result.zw);
  }
}
