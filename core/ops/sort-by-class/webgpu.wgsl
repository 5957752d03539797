// A stable counting sort of pixels by class, in three passes over blocks of 256 pixels.
//
// `count`: a workgroup is a block, and writes how many of its pixels each class has, [class][block]; an invocation counts
// one class (or more, 256 apart) over the 256 staged classes. `offsets`: one workgroup turns all counts, in their order,
// into sums of what comes before: an invocation adds up a run of counts, the 256 sums are added up, and it goes over its
// run again, four counts at a time, lest each waits for what was written before it. `place`: a workgroup is a block again; an
// invocation is a pixel, whose place is its block's and class's offset and the number of pixels before it in the block that
// have its class.
// Workgroup memory: 1024 bytes. Barriers: one, two, one; in uniform control flow. Whole numbers only, and no atomics: the
// order is the same whatever the order of workgroups. Not assumed: subgroups, forward progress between workgroups.

struct Params {
  pixels: u32,
  classes: u32,
  blocks: u32,
}

const BLOCK = 256u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> classes: array<u32>;
@group(0) @binding(2) var<storage, read_write> counts: array<u32>;
@group(0) @binding(3) var<storage, read_write> order: array<u32>;

var<workgroup> staged: array<u32, BLOCK>;

// The classes of a block where its invocations can see them; none behind the last pixel.
fn stage(pixel: u32, lane: u32) {
  staged[lane] = 0xffffffffu;
  if pixel < params.pixels {
    staged[lane] = classes[pixel];
  }
  workgroupBarrier();
}

@compute @workgroup_size(BLOCK)
fn count(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
) {
  let block = groupIndex(group, groups);
  let pixel = block * BLOCK + lane;
  stage(pixel, lane);
  if block >= params.blocks {
    return;
  }
  for (var token = lane; token < params.classes; token += BLOCK) {
    var sum = 0u;
    for (var i = 0u; i < BLOCK; i++) {
      sum += select(0u, 1u, staged[i] == token);
    }
    counts[token * params.blocks + block] = sum;
  }
}

@compute @workgroup_size(BLOCK)
fn offsets(@builtin(local_invocation_index) lane: u32) {
  let total = params.classes * params.blocks;
  let run = (total + BLOCK - 1u) / BLOCK;
  let first = min(lane * run, total);
  let end = min(first + run, total);
  var sum = 0u;
  for (var i = first; i < end; i++) {
    sum += counts[i];
  }
  staged[lane] = sum;
  workgroupBarrier();
  var before = 0u;
  for (var i = 0u; i < lane; i++) {
    before += staged[i];
  }
  for (var i = first; i < end; i += 4u) {
    var own = vec4u();
    for (var j = 0u; j < 4u; j++) {
      if i + j < end {
        own[j] = counts[i + j];
      }
    }
    for (var j = 0u; j < 4u; j++) {
      if i + j < end {
        counts[i + j] = before;
        before += own[j];
      }
    }
  }
}

@compute @workgroup_size(BLOCK)
fn place(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
) {
  let block = groupIndex(group, groups);
  let pixel = block * BLOCK + lane;
  stage(pixel, lane);
  if pixel >= params.pixels {
    return;
  }
  let own = staged[lane];
  var rank = 0u;
  for (var i = 0u; i < lane; i++) {
    rank += select(0u, 1u, staged[i] == own);
  }
  order[counts[own * params.blocks + block] + rank] = pixel;
}
