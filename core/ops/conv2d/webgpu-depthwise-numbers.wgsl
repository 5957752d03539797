
// Four channels of the input that may begin anywhere, as those of a view do; the last one again behind the last.

@group(0) @binding(1) var<storage, read> x: array<u32>;

fn fourAt(row: u32, channel: u32) -> vec4f {
  var four = vec4f();
  for (var i = 0u; i < 4u; i++) {
    let at = row + min(channel + i, params.channels - 1u);
    four[i] = numberOf(x[wordOf(at, X16)], at, X16);
  }
  return four;
}
