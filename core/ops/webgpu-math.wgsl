// Elementary functions of all kernels, as exact as those of the CPU (minimax fits of this project). WGSL's own exp may
// be off by 3 + 2|x| units in the last place, its log by 2^-21 near 1, and erf it has none. Not assumed: that NaN or
// infinity survive comparisons, min and max.

/// Number of this workgroup: a dispatch of more than 65535 is laid out in two dimensions.
fn groupIndex(id: vec3u, counts: vec3u) -> u32 {
  return id.x + id.y * counts.x;
}

/// 2^f for |f| <= 1/2, relative error 1e-7; 1 exactly for 0.
fn exp2Fraction4(f: vec4f) -> vec4f {
  var p = fma(vec4f(0.001326472731307149), f, vec4f(0.009671512991189957));
  p = fma(p, f, vec4f(0.05550733581185341));
  p = fma(p, f, vec4f(0.24022242426872253));
  p = fma(p, f, vec4f(0.6931470036506653));
  return fma(p, f, vec4f(1.0));
}

/// 2^whole of whole numbers from -126 to 127, by its bits: exact everywhere, as ldexp and exp2 may not be, and quicker.
fn powerOfTwo4(whole: vec4f) -> vec4f {
  return bitcast<vec4f>((vec4i(whole) + 127) << vec4u(23u));
}

fn powerOfTwo(whole: f32) -> f32 {
  return bitcast<f32>((i32(whole) + 127) << 23u);
}

/// e^x, relative error 2e-7 near 0, growing by 6e-8 |x|; 0 below e^-87, and finite: e^88 at most.
fn expExact(x: f32) -> f32 {
  let scaled = clamp(x, -87.0, 88.0) * 1.4426950408889634;
  let whole = round(scaled);
  let f = scaled - whole;
  var p = fma(0.001326472731307149, f, 0.009671512991189957);
  p = fma(p, f, 0.05550733581185341);
  p = fma(p, f, 0.24022242426872253);
  p = fma(p, f, 0.6931470036506653);
  p = fma(p, f, 1.0);
  // What is not finite, clamp may have hidden. Told by its bits: compilers may take x - x for 0 and x != x for false.
  let bits = bitcast<u32>(x);
  return select(p * powerOfTwo(whole), bitcast<f32>(bits | 0x7fc00000u), (bits & 0x7fffffffu) > 0x7f7fffffu);
}

/// ln x of positive normal x, absolute error 1e-7 near 1.
fn lnExact(x: f32) -> f32 {
  let bits = bitcast<i32>(x) - 0x3f3504f3;
  let exponent = f32(bits >> 23u);
  let m = bitcast<f32>((bits & 0x007fffff) + 0x3f3504f3);
  let s = (m - 1.0) / (m + 1.0);
  let t = s * s;
  var p = fma(0.29925742745399475, t, 0.39974790811538696);
  p = fma(p, t, 0.666668176651001);
  p = fma(p, t, 2.0);
  return fma(exponent, 0.6931471805599453, p * s);
}

/// log(1 + e^z) = max(z, 0) + 2 atanh(e / (2 + e)) with e = e^-|z|: exact also where it is tiny.
fn softplus(z: f32) -> f32 {
  let e = expExact(-abs(z));
  let s = e / (e + 2.0);
  let t = s * s;
  var p = fma(0.2817825675010681, t, 0.2796062231063843);
  p = fma(p, t, 0.40024909377098083);
  p = fma(p, t, 0.6666631698608398);
  p = fma(p, t, 2.0);
  return fma(p, s, max(z, 0.0));
}

fn sigmoid(x: f32) -> f32 {
  return 1.0 / (1.0 + expExact(-x));
}

/// The normal distribution function: GELU(x) = x * normalCdf(x). Absolute error 3e-8.
fn normalCdf(x: f32) -> f32 {
  let z = clamp(x, -5.6, 5.6);
  let t = z * z;
  var p = fma(2.1707302259828856e-8, t, 6.525808653259481e-6);
  p = fma(p, t, 0.0001867779700544713);
  p = fma(p, t, 0.004785929087840376);
  p = fma(p, t, 0.03555703633047315);
  p = fma(p, t, 0.3989421044520254);
  var q = fma(1.1800640902252162e-6, t, 7.968380992091144e-5);
  q = fma(q, t, 0.0019853054394612687);
  q = fma(q, t, 0.02963261456751755);
  q = fma(q, t, 0.25579247327981064);
  q = fma(q, t, 1.0);
  return fma(z, p / q, 0.5);
}

const GELU = 1u;
const SILU = 2u;
const SIGMOID = 3u;
const LEAKY_RELU = 4u;

/// An activation by its number; 0 is none.
fn activate(kind: u32, slope: f32, x: f32) -> f32 {
  switch kind {
    case GELU: { return x * normalCdf(x); }
    case SILU: { return x * sigmoid(x); }
    case SIGMOID: { return sigmoid(x); }
    case LEAKY_RELU: { return select(x * slope, x, x > 0.0); }
    default: { return x; }
  }
}

fn activate4(kind: u32, slope: f32, x: vec4f) -> vec4f {
  if kind == 0u {
    return x;
  }
  return vec4f(
    activate(kind, slope, x.x), activate(kind, slope, x.y), activate(kind, slope, x.z), activate(kind, slope, x.w),
  );
}
