// The codes of a picture or video frame, 8 or 16 bits each, as they lie in memory, to R'G'B' (or gray) for a network, and
// its result back to codes. The formulas are ITU-T H.273's: chroma up by linear interpolation at its positions and down by
// the exact left inverse of that ([-1 2 6 2 -1]/8 on a sample, [-1 3 3 -1]/4 between two), both at once on two axes.
//
// `decode`: workgroup: 256 pixels in raster order. Invocation: one pixel; it writes the signal clamped to [0, 1], which is
// what networks take, and what clamping took away. `encode`: workgroup: 256 words of codes. Invocation: one word, of four
// samples or two, from the result and what was taken away of the pixel it grew from; rounded half up, clipped to the codes.
// Samples that are no colour (alpha, padding) are those of the source where the size is the same, else 0. A value that is
// not finite sets the word behind the codes (atomically, as many may).
// Nothing is sequential but the taps of a sample of chroma, 20 at most. No workgroup memory, no barriers.
// There and back is exact: chroma codes times quarters are exact in float32, the rest errs by less than 0.1 code at 16
// bits, fused or not. Not assumed: anything of subgroups or of the order of workgroups.

struct Params {
  /// Of the picture whose codes are read or written.
  size: vec2u,
  /// Pixels on an axis that one of the source became; 1 in `decode`.
  scale: u32,
  /// 1: two bytes a sample.
  isWide: u32,
  isYuv: u32,
  /// Of the network: 1 or 3.
  channels: u32,
  /// Of the whole picture.
  samples: u32,
  /// The largest code.
  largest: f32,
  /// Of R', G', B' in luma.
  luma: vec3f,
  /// 1: samples that are no colour are the source's.
  keeps: u32,
  /// Code of black, steps a unit, and their inverse; code of neutral chroma.
  code: vec4f,
  /// To R, G, G, B from codes of chroma: v, u, v, u.
  matrix: vec4f,
  /// From B' - luma and R' - luma to codes of chroma.
  back: vec2f,
  /// Chroma planes are smaller by these powers of two, and where their samples lie: FIRST, BETWEEN, SECOND.
  shift: vec2u,
  siting: vec2u,
  /// Of each plane: first sample, the one behind the last, samples a pixel, and their channels, 4 bits each.
  planes: array<vec4u, 4>,
  /// Of each channel (0 luma or red, 1, 2): first sample, samples from one to the next, width and height.
  places: array<vec4u, 3>,
}

const FIRST = 0u;
const BETWEEN = 1u;
const SECOND = 2u;
/// A channel that is no colour.
const OTHER = 3u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> codes: array<u32>;
/// decode: planar [C, h, w], clamped. encode: planar [C, h · scale, w · scale].
@group(0) @binding(2) var<storage, read_write> signal: array<f32>;
/// What clamping took away, planar [C, h, w].
@group(0) @binding(3) var<storage, read_write> clipped: array<f32>;
@group(0) @binding(4) var<storage, read_write> result: array<atomic<u32>>;

fn codeAt(sample: u32) -> u32 {
  if params.isWide == 1u {
    return (codes[sample >> 1u] >> (16u * (sample & 1u))) & 0xffffu;
  }
  return (codes[sample >> 2u] >> (8u * (sample & 3u))) & 0xffu;
}

fn channelAt(channel: u32, x: u32, y: u32) -> f32 {
  let place = params.places[channel];
  return f32(codeAt(place.x + (y * place.z + x) * place.y));
}

struct UpTaps {
  near: u32,
  far: u32,
  /// Of the far one.
  weight: f32,
}

/// A full-size sample as a mean of two of `count` samples of chroma.
fn upTaps(at: u32, shift: u32, siting: u32, count: u32) -> UpTaps {
  let nearest = at >> shift;
  let phase = f32(at & ((1u << shift) - 1u)) / f32(1u << shift);
  var offset = phase;
  if shift != 0u {
    offset -= f32(siting) * 0.25;
  }
  let far = i32(nearest) + select(1, -1, offset < 0.0);
  return UpTaps(min(nearest, count - 1u), u32(clamp(far, 0, i32(count) - 1)), abs(offset));
}

/// Chroma of a full-size pixel, in codes.
fn chromaAt(channel: u32, x: UpTaps, y: UpTaps) -> f32 {
  let near = mix2(channelAt(channel, x.near, y.near), channelAt(channel, x.far, y.near), x.weight);
  let far = mix2(channelAt(channel, x.near, y.far), channelAt(channel, x.far, y.far), x.weight);
  return mix2(near, far, y.weight);
}

/// Exact for codes and weights of quarters, as the formula of `mix` may not be.
fn mix2(near: f32, far: f32, weight: f32) -> f32 {
  return near * (1.0 - weight) + far * weight;
}

@compute @workgroup_size(256)
fn decode(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
) {
  let pixel = groupIndex(group, groups) * 256u + lane;
  let area = params.size.x * params.size.y;
  if pixel >= area {
    return;
  }
  let x = pixel % params.size.x;
  let y = pixel / params.size.x;
  var value = vec3f((channelAt(0u, x, y) - params.code.x) * params.code.z);
  if params.isYuv == 1u {
    let horizontal = upTaps(x, params.shift.x, params.siting.x, params.places[1].z);
    let vertical = upTaps(y, params.shift.y, params.siting.y, params.places[1].w);
    let u = chromaAt(1u, horizontal, vertical) - params.code.w;
    let v = chromaAt(2u, horizontal, vertical) - params.code.w;
    let m = params.matrix;
    value += vec3f(m.x * v, m.y * u + m.z * v, m.w * u);
  } else if params.channels == 3u {
    value.y = (channelAt(1u, x, y) - params.code.x) * params.code.z;
    value.z = (channelAt(2u, x, y) - params.code.x) * params.code.z;
  }
  let inside = clamp(value, vec3f(0.0), vec3f(1.0));
  for (var c = 0u; c < params.channels; c++) {
    signal[c * area + pixel] = inside[c];
    clipped[c * area + pixel] = value[c] - inside[c];
  }
}

fn isFinite(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
}

/// R'G'B' of the result, three times gray.
fn resultAt(x: u32, y: u32) -> vec3f {
  let area = params.size.x * params.size.y;
  let sourceWidth = params.size.x / params.scale;
  let at = y * params.size.x + x;
  let origin = y / params.scale * sourceWidth + x / params.scale;
  let sourceArea = area / (params.scale * params.scale);
  var value = vec3f(signal[at] + clipped[origin]);
  if params.channels == 3u {
    value.y = signal[area + at] + clipped[sourceArea + origin];
    value.z = signal[2u * area + at] + clipped[2u * sourceArea + origin];
  }
  return value;
}

struct DownTaps {
  /// The first tap's sample; those outside count as the nearest inside.
  first: i32,
  weights: array<f32, 5>,
}

/// A sample of chroma from `count` full-size ones: the exact left inverse of `upTaps`.
fn downTaps(at: u32, shift: u32, siting: u32, count: u32) -> DownTaps {
  let own = i32(at << shift);
  let last = i32(count) - 1;
  if shift != 1u {
    return DownTaps(own, array(1.0, 0.0, 0.0, 0.0, 0.0));
  }
  if siting == BETWEEN {
    if own < last {
      return DownTaps(own - 1, array(-0.25, 0.75, 0.75, -0.25, 0.0));
    }
    // The last sample of an odd length has no partner.
    if last == 0 {
      return DownTaps(own, array(1.0, 0.0, 0.0, 0.0, 0.0));
    }
    return DownTaps(own - 1, array(-0.5, 1.5, 0.0, 0.0, 0.0));
  }
  let centre = own + select(0, 1, siting == SECOND);
  if siting == SECOND && centre + 2 > last {
    // Below the last line of an odd height there is half a sample, which cannot be mirrored.
    if centre <= last || last == 0 {
      return DownTaps(min(centre, last), array(1.0, 0.0, 0.0, 0.0, 0.0));
    }
    return DownTaps(own - 1, array(-1.0, 2.0, 0.0, 0.0, 0.0));
  }
  return DownTaps(centre - 2, array(-0.125, 0.25, 0.75, 0.25, -0.125));
}

/// A sample of chroma as a code above neutral.
fn chromaOf(channel: u32, x: u32, y: u32) -> f32 {
  let columns = downTaps(x, params.shift.x, params.siting.x, params.size.x);
  let rows = downTaps(y, params.shift.y, params.siting.y, params.size.y);
  var sum = vec3f();
  for (var j = 0; j < 5; j++) {
    for (var i = 0; i < 5; i++) {
      let weight = rows.weights[j] * columns.weights[i];
      if weight != 0.0 {
        let column = clamp(columns.first + i, 0, i32(params.size.x) - 1);
        let row = clamp(rows.first + j, 0, i32(params.size.y) - 1);
        sum += weight * resultAt(u32(column), u32(row));
      }
    }
  }
  let luma = dot(params.luma, sum);
  return select((sum.x - luma) * params.back.y, (sum.z - luma) * params.back.x, channel == 1u);
}

@compute @workgroup_size(256)
fn encode(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
) {
  let word = groupIndex(group, groups) * 256u + lane;
  let each = 4u >> params.isWide;
  let words = (params.samples + each - 1u) / each;
  if word >= words {
    return;
  }
  var packed = 0u;
  for (var i = 0u; i < each; i++) {
    let sample = word * each + i;
    if sample < params.samples {
      packed |= sampleOf(sample, words) << (i * (8u << params.isWide));
    }
  }
  atomicStore(&result[word], packed);
}

/// The code of a sample.
fn sampleOf(sample: u32, words: u32) -> u32 {
  var plane = params.planes[0];
  for (var p = 1u; p < 4u; p++) {
    if sample >= params.planes[p].x {
      plane = params.planes[p];
    }
  }
  let local = sample - plane.x;
  let channel = (plane.w >> (4u * (local % plane.z))) & 15u;
  if channel == OTHER {
    if params.keeps == 1u {
      return codeAt(sample);
    }
    return 0u;
  }
  let width = params.places[channel].z;
  let x = local / plane.z % width;
  let y = local / plane.z / width;
  if params.isYuv == 1u && channel > 0u {
    return rounded(chromaOf(channel, x, y) + params.code.w);
  }
  let value = resultAt(x, y);
  if !isFinite(value.x) || !isFinite(value.y) || !isFinite(value.z) {
    atomicStore(&result[words], 1u);
  }
  var own = value[channel];
  if params.isYuv == 1u || params.channels == 1u {
    own = dot(params.luma, value);
  }
  return rounded(own * params.code.y + params.code.x);
}

fn rounded(code: f32) -> u32 {
  return u32(clamp(floor(code + 0.5), 0.0, params.largest));
}
