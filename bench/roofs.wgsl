// What a device can do at most: `copy` moves memory, `multiply` does nothing but multiply and add.
//
// copy: workgroup: 256 vectors of 16 bytes, one to an invocation, from one buffer to another. multiply: an invocation runs
// eight independent chains of fused multiply-adds on vectors in registers, 64 to a loop, and writes one vector at the end,
// so that nothing can be left out. No workgroup memory, no barriers.

struct Params {
  count: u32,
  loops: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(256)
fn copy(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.x + group.y * groups.x) * 256u + lane;
  if at < params.count {
    y[at] = x[at];
  }
}

@compute @workgroup_size(256)
fn multiply(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.x + group.y * groups.x) * 256u + lane;
  let own = x[at % params.count];
  var sums = array<vec4f, 8>(own, own + 1.0, own + 2.0, own + 3.0, own + 4.0, own + 5.0, own + 6.0, own + 7.0);
  for (var i = 0u; i < params.loops; i++) {
    for (var round = 0u; round < 8u; round++) {
      for (var chain = 0u; chain < 8u; chain++) {
        sums[chain] = fma(sums[chain], own, vec4f(0.5));
      }
    }
  }
  var all = vec4f();
  for (var chain = 0u; chain < 8u; chain++) {
    all += sums[chain];
  }
  y[at % params.count] = all;
}
