// The selective scan, parallel along the sequence: chunk, carry, output.
//
//   δ = softplus(dtWeight · Δ + dtBias),  h = 2^(δA') h + δ B u,  y = C h + D u      (A' = A log2 e)
//
// `scan` with OUTPUT = 0 runs every chunk from h = 0 and writes the state at its end and the sum s of its δ. `carry` walks
// the chunks and puts in each end's place the state at its start: since the product of the decays 2^(δA') of a chunk is
// 2^(A's), h(c + 1) = 2^(A's(c)) h(c) + end(c). `scan` with OUTPUT = 1 runs every chunk again from there and writes y. So
// nothing is ever divided by a product of decays, and no workgroup waits for another. A single chunk needs OUTPUT = 1 only.
//
// scan: a workgroup is WIDTH channels of each of CHUNKS chunks. An invocation is one channel of one chunk: it walks the
// steps in order, with its N states, its A' and its row of dtWeight in registers, four to a vector. For TILE steps at a
// time the workgroup stages what all channels share: the row of the projection (Δ low-rank, B, C; with a prompt C is
// raised by that of the *raster* pixel's class, as the official code has it), taken in scan order, and the pixel's number.
// u of a step is read while the one before is computed.
// SORTED = 0: raster order; the prompt, if there is one, is that of class 0.
// carry: a workgroup is 16 states of channels, times 16 runs of chunks. An invocation is one state in one run: it walks the run
// from h = 0, everyone goes over what the runs before its own came to, and it walks the run again. (One invocation for all
// chunks would wait for memory as often as there are chunks.) Four chunks are read at a time, before any is written.
// Workgroup memory: CHUNKS · TILE · (16 (RANK4 + N4 (1 + OUTPUT)) + 4) bytes, 16384 at most; 2048 in carry.
// Barriers: two for TILE steps, one in carry, in uniform control flow: channels and chunks that do not exist walk along.
// u and the projection are float32 or halves (X16, P16); states, sums, steps and y are float32. δ is exact to 2e-7 also where it is tiny; exponents are at most 0, and A' at least
// -1e30, so that nothing overflows. States that exist only to fill a vector have A' = B = C = 0.
// Not assumed: subgroups, forward progress, order of workgroups, lengths that are multiples of anything.

struct Params {
  length: u32,
  channels: u32,
  chunkLength: u32,
  chunks: u32,
  channelGroups: u32,
  uStart: u32,
  uStride: u32,
  projectionStart: u32,
  projectionStride: u32,
  outStride: u32,
  stateSize: u32,
  rank: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> u: array<u32>;
@group(0) @binding(2) var<storage, read> projection: array<u32>;
@group(0) @binding(3) var<storage, read> order: array<u32>;
@group(0) @binding(4) var<storage, read> classes: array<u32>;
/// dtWeight [4 RANK4][channels], A' [4 N4][channels], dtBias and D [channels], prompts [classes][N].
@group(0) @binding(5) var<storage, read> weights: array<f32>;
/// [chunk][4 N4 states, sum of δ][channels].
@group(0) @binding(6) var<storage, read_write> states: array<f32>;
@group(0) @binding(7) var<storage, read_write> y: array<f32>;

/// Vectors of a staged row: Δ low-rank, B, and C where it is needed.
const ROW = RANK4 + N4 * (1u + OUTPUT);

var<workgroup> rows: array<vec4f, CHUNKS * TILE * ROW>;
var<workgroup> pixels: array<u32, CHUNKS * TILE>;

/// How a workgroup of `carry` divides: states, times runs of chunks.
const ROWS = 16u;
const RUNS = 16u;
/// What a run of chunks adds to a state, and what it multiplies it by.
var<workgroup> runs: array<vec2f, ROWS * RUNS>;

/// 2^x of exponents that are not positive, by a polynomial: WGSL allows its exp2 an error of 3 + 2|x| units in the last
/// place, and drivers use it (SwiftShader's is 20 times less exact than this).
fn decay4(x: vec4f) -> vec4f {
  let bounded = max(x, vec4f(-126.0));
  let whole = round(bounded);
  return exp2Fraction4(bounded - whole) * powerOfTwo4(whole);
}

/// Vector `vector` of the row that is taken at a step, zero beyond the end of each of its parts.
fn rowVector(step: u32, pixel: u32, vector: u32) -> vec4f {
  var part = 0u;
  var size = params.rank;
  var at = vector * 4u;
  var isC = false;
  if vector >= RANK4 + N4 {
    part = params.rank + params.stateSize;
    size = params.stateSize;
    at -= (RANK4 + N4) * 4u;
    isC = true;
  } else if vector >= RANK4 {
    part = params.rank;
    size = params.stateSize;
    at -= RANK4 * 4u;
  }
  let base = params.projectionStart + pixel * params.projectionStride + part;
  var prompt = 0u;
  if SORTED == 1u {
    prompt = classes[step];
  }
  var four = vec4f();
  for (var i = 0u; i < 4u; i++) {
    if at + i < size {
      let place = base + at + i;
      four[i] = numberOf(projection[wordOf(place, P16)], place, P16);
      if PROMPT == 1u && isC {
        four[i] += weights[(4u * (RANK4 + N4) + 2u) * params.channels + prompt * params.stateSize + at + i];
      }
    }
  }
  return four;
}

fn inputAt(pixel: u32, channel: u32) -> f32 {
  let at = params.uStart + pixel * params.uStride + channel;
  return numberOf(u[wordOf(at, X16)], at, X16);
}

@compute @workgroup_size(WIDTH * CHUNKS)
fn scan(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
) {
  let number = groupIndex(group, groups);
  let channels = params.channels;
  let firstChunk = number / params.channelGroups * CHUNKS;
  let own = lane / WIDTH;
  let chunk = firstChunk + own;
  let channel = number % params.channelGroups * WIDTH + lane % WIDTH;
  let exists = channel < channels && chunk < params.chunks;
  let c = min(channel, channels - 1u);
  let stateFrom = min(chunk, params.chunks - 1u) * (4u * N4 + 1u) * channels + c;

  var dt: array<vec4f, RANK4>;
  var a: array<vec4f, N4>;
  var h: array<vec4f, N4>;
  for (var r = 0u; r < RANK4; r++) {
    let at = r * 4u * channels + c;
    dt[r] = vec4f(weights[at], weights[at + channels], weights[at + 2u * channels], weights[at + 3u * channels]);
  }
  for (var n = 0u; n < N4; n++) {
    let at = (RANK4 + n) * 4u * channels + c;
    a[n] = vec4f(weights[at], weights[at + channels], weights[at + 2u * channels], weights[at + 3u * channels]);
    h[n] = vec4f();
    if OUTPUT == 1u && params.chunks > 1u {
      let begin = stateFrom + n * 4u * channels;
      h[n] = vec4f(states[begin], states[begin + channels], states[begin + 2u * channels], states[begin + 3u * channels]);
    }
  }
  let bias = weights[4u * (RANK4 + N4) * channels + c];
  let skip = weights[(4u * (RANK4 + N4) + 1u) * channels + c];
  var stepSum = 0.0;

  for (var first = 0u; first < params.chunkLength; first += TILE) {
    workgroupBarrier();
    for (var at = lane; at < CHUNKS * TILE * ROW; at += WIDTH * CHUNKS) {
      let place = at / ROW;
      let step = (firstChunk + place / TILE) * params.chunkLength + first + place % TILE;
      if step < params.length {
        var pixel = step;
        if SORTED == 1u {
          pixel = order[step];
        }
        rows[at] = rowVector(step, pixel, at % ROW);
        if at % ROW == 0u {
          pixels[place] = pixel;
        }
      }
    }
    workgroupBarrier();
    let begin = chunk * params.chunkLength + first;
    if exists && begin < params.length {
      let count = min(min(TILE, params.chunkLength - first), params.length - begin);
      var next = inputAt(pixels[own * TILE], c);
      for (var t = 0u; t < count; t++) {
        let place = own * TILE + t;
        let row = place * ROW;
        let pixel = pixels[place];
        let input = next;
        next = inputAt(pixels[own * TILE + min(t + 1u, count - 1u)], c);
        var low = vec4f();
        for (var r = 0u; r < RANK4; r++) {
          low = fma(dt[r], rows[row + r], low);
        }
        let delta = softplus(low.x + low.y + (low.z + low.w) + bias);
        let entering = delta * input;
        var out = vec4f();
        for (var n = 0u; n < N4; n++) {
          h[n] = fma(decay4(delta * a[n]), h[n], entering * rows[row + RANK4 + n]);
          if OUTPUT == 1u {
            out = fma(rows[row + RANK4 + N4 * OUTPUT + n], h[n], out);
          }
        }
        if OUTPUT == 1u {
          y[pixel * params.outStride + c] = fma(skip, input, out.x + out.y + (out.z + out.w));
        } else {
          stepSum += delta;
        }
      }
    }
  }
  if OUTPUT == 0u && exists {
    for (var n = 0u; n < N4; n++) {
      let to = stateFrom + n * 4u * channels;
      states[to] = h[n].x;
      states[to + channels] = h[n].y;
      states[to + 2u * channels] = h[n].z;
      states[to + 3u * channels] = h[n].w;
    }
    states[stateFrom + N4 * 4u * channels] = stepSum;
  }
}

/// Of four neighbouring chunks: states at their ends, and sums of δ.
struct FourChunks {
  ends: vec4f,
  sums: vec4f,
}

/// Chunks from `end` on change nothing: theirs are zero.
fn chunksFrom(chunk: u32, end: u32, index: u32) -> FourChunks {
  let size = (4u * N4 + 1u) * params.channels;
  let sumFrom = 4u * N4 * params.channels + index % params.channels;
  var four = FourChunks();
  for (var i = 0u; i < 4u; i++) {
    if chunk + i < end {
      four.ends[i] = states[(chunk + i) * size + index];
      four.sums[i] = states[(chunk + i) * size + sumFrom];
    }
  }
  return four;
}

@compute @workgroup_size(ROWS * RUNS)
fn carry(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
) {
  let rowCount = 4u * N4 * params.channels;
  let row = groupIndex(group, groups) * ROWS + lane % ROWS;
  let index = min(row, rowCount - 1u);
  let rate = weights[4u * RANK4 * params.channels + index];
  let length = (params.chunks + RUNS - 1u) / RUNS;
  let first = min(lane / ROWS * length, params.chunks);
  let end = min(first + length, params.chunks);
  var h = 0.0;
  var stepSum = 0.0;
  for (var chunk = first; chunk < end; chunk += 4u) {
    let four = chunksFrom(chunk, end, index);
    let decays = decay4(rate * four.sums);
    for (var i = 0u; i < 4u; i++) {
      h = fma(decays[i], h, four.ends[i]);
      stepSum += four.sums[i];
    }
  }
  runs[lane] = vec2f(h, decay4(vec4f(rate * stepSum)).x);
  workgroupBarrier();
  h = 0.0;
  for (var before = lane % ROWS; before < lane; before += ROWS) {
    h = fma(runs[before].y, h, runs[before].x);
  }
  for (var chunk = first; chunk < end; chunk += 4u) {
    let four = chunksFrom(chunk, end, index);
    let decays = decay4(rate * four.sums);
    for (var i = 0u; i < 4u; i++) {
      if chunk + i < end && row < rowCount {
        states[(chunk + i) * ((4u * N4 + 1u) * params.channels) + index] = h;
      }
      h = fma(decays[i], h, four.ends[i]);
    }
  }
}
