
// Four channels of the input where all of them are there and the first is a multiple of four: one or two loads instead of four.

@group(0) @binding(1) var<storage, read> x: array<vec2u>;

fn fourAt(row: u32, channel: u32) -> vec4f {
  let vector = (row + channel) / 4u;
  if X16 == 1u {
    return fourOf(x[vector]);
  }
  return bitcast<vec4f>(vec4u(x[2u * vector], x[2u * vector + 1u]));
}
