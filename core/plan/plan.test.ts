import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { planProblems } from '../../test/plan-problems.js';
import { randomGraph } from '../../test/random-graph.js';
import { buildMambaIRv2 } from '../architectures/mambairv2/build.js';
import { publishedConfigurations } from '../architectures/mambairv2/published.js';
import { GraphBuilder } from '../graph/build-graph.js';
import type { Graph, NodeId } from '../graph/graph.js';
import { fusedCpuKernelOf } from '../ops/cpu-kernels.js';
import { type Plan, type PlanOptions, type PlanStep, plan, stripAt } from './plan.js';

function published(name: string): Graph {
  const found = publishedConfigurations.find((each) => each.name === name);
  if (found === undefined) {
    throw new Error(`no published network is called ${name}`);
  }
  return buildMambaIRv2(found.config);
}

/** The CPU executor's options: strips of at most 48 KiB a value, its fused kernels, work around attention in windows. */
function optionsFor(graph: Graph): PlanOptions {
  const operation = (id: NodeId) => (graph.nodes[id] as Graph['nodes'][number]).operation;
  return {
    channelMultiple: 8,
    stripTargetBytes: 49152,
    canFuse: (first, second) => fusedCpuKernelOf(operation(first), operation(second)) !== undefined,
    joinsWindows: () => true,
  };
}

describe('plans', () => {
  it('of random graphs are sound, whatever is kept, fused and cut', () => {
    const problem = fc.record({
      seed: fc.nat(100_000),
      length: fc.integer({ min: 1, max: 60 }),
      rows: fc.integer({ min: 1, max: 12 }),
      columns: fc.integer({ min: 1, max: 200 }),
      stripTargetBytes: fc.constantFrom(1, 3000, 49152),
      fusing: fc.constantFrom('none', 'cpu', 'all'),
      keepEvery: fc.constantFrom(1, 3, 10, 1000),
      joinsEvery: fc.constantFrom(1, 2, 1000),
    });
    fc.assert(
      fc.property(problem, ({ seed, length, rows, columns, stripTargetBytes, fusing, keepEvery, joinsEvery }) => {
        const { graph } = randomGraph(seed, length);
        const keep = [...graph.nodes.keys()].filter((id) => id % keepEvery === keepEvery - 1);
        const options = optionsFor(graph);
        const canFuse = fusing === 'cpu' ? options.canFuse : () => fusing === 'all';
        const joinsWindows = (id: NodeId): boolean => id % joinsEvery === joinsEvery - 1;
        const cut = { ...options, stripTargetBytes, canFuse, joinsWindows, keep };
        const planned = plan(graph, rows * 4, columns * 4, cut);
        expect(planProblems(graph, planned, keep)).toEqual([]);
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it.each([
    ['lightSR_x4', 16, 16],
    ['lightSR_x4', 192, 320],
    ['lightSR_x4', 16, 4096],
    ['SR_x2', 16, 16],
    ['SR_x2', 256, 64],
    ['CAR_q10', 32, 1600],
  ])('of %s at %i × %i are sound, the same every time, with and without taps', (name, height, width) => {
    const graph = published(name);
    const options = optionsFor(graph);
    const planned = plan(graph, height, width, options);
    expect(planProblems(graph, planned, [])).toEqual([]);
    expect(plan(graph, height, width, options)).toEqual(planned);
    const keep = [...graph.nodes.keys()].filter((id) => id % 7 === 0);
    expect(planProblems(graph, plan(graph, height, width, { ...options, keep }), keep)).toEqual([]);
  });

  it('keep what nobody reads out of the strips, where it is larger than one', () => {
    const graph = new GraphBuilder();
    const image = graph.input('input', { channels: 4, multiple: 1 });
    graph.pixelShuffle('unread', image, 2);
    const finished = graph.finish(graph.gelu('output', image));
    const planned = plan(finished, 6, 6, optionsFor(finished));
    expect(planned.placements[1]?.kind).toBe('buffer');
    expect(planProblems(finished, planned, [])).toEqual([]);
  });

  it('have no step for a view', () => {
    const graph = new GraphBuilder();
    const image = graph.input('input', { channels: 4, multiple: 1 });
    const wide = graph.upsampleNearest('wide', image, 2);
    const finished = graph.finish(graph.sliceChannels('output', wide, { start: 1, channels: 2 }));
    const planned = plan(finished, 6, 6, optionsFor(finished));
    expect(planned.steps.every(({ calls }) => calls.length > 0)).toBe(true);
  });

  it('refuse a size that the graph cannot halve', () => {
    const graph: Graph = {
      nodes: [
        {
          name: 'input',
          operation: { op: 'input', channels: 1, multiple: 1 },
          inputs: [],
          type: { kind: 'features', channels: 1, scale: 0.5 },
        },
      ],
      output: 0,
      routes: [],
    };
    expect(() => plan(graph, 3, 4, optionsFor(graph))).toThrow(expect.objectContaining({ code: 'MAMBAIR_INTERNAL' }));
  });
});

describe('strips', () => {
  it('cover every pixel once, in whole rows or inside one, within their bound', () => {
    const problem = [fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 3000 })] as const;
    fc.assert(
      fc.property(...problem, fc.integer({ min: 1, max: 400_000 }), (height, width, stripTargetBytes) => {
        const builder = new GraphBuilder();
        const graph = builder.finish(builder.input('input', { channels: 3, multiple: 1 }));
        const planned = plan(graph, height, width, { ...optionsFor(graph), stripTargetBytes });
        expect(planProblems(graph, planned, [])).toEqual([]);
        const { stripPixels } = planned.steps[0] as PlanStep;
        // Parts of a row are rounded up to four pixels.
        expect(stripPixels).toBeLessThanOrEqual(Math.max(32, stripTargetBytes / 32) + 3);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it('are as long as the most demanding of their nodes wants', () => {
    const builder = new GraphBuilder();
    const graph = builder.finish(builder.gelu('y', builder.input('input', { channels: 3, multiple: 1 })));
    const planned = plan(graph, 100, 10, {
      ...optionsFor(graph),
      leastStripPixels: (id) => (id === 1 ? 640 : 0),
      stripTargetBytes: 1,
    });
    expect(stripAt(planned.steps[0] as PlanStep, 0)).toEqual({ first: 0, count: 640 });
    expect(planProblems(graph, planned, [])).toEqual([]);
  });
});

/** The steps that compute nodes below a path: a line each, names without the path, fused nodes joined by +. */
function listing(graph: Graph, { steps }: Plan, path: string): readonly string[] {
  const name = (id: NodeId) => graph.nodes[id]?.name.replace(path, '') ?? '';
  const all = steps.map(
    ({ range, calls }) => `${range}: ${calls.map(({ nodes }) => nodes.map(name).join(' + ')).join(', ')}`,
  );
  return all.filter((_, step) => steps[step]?.calls.some(({ output }) => graph.nodes[output]?.name.startsWith(path)));
}

describe('the light network', () => {
  const graph = published('lightSR_x4');
  const planned = plan(graph, 192, 320, optionsFor(graph));

  it('runs a block in seven steps', () => {
    const path = 'layers.0.residual_group.layers.';
    const steps = listing(graph, planned, path);
    const start = steps.findIndex((step) => step.includes('1.wqkv'));
    expect(steps.slice(start, start + 7)).toEqual([
      'windows: 1.norm1, 1.wqkv, 1.win_mhsa, 1.win_mhsa.proj + 1.x_win, 1.norm2, 1.convffn1.fc1, 1.convffn1.act, 1.convffn1.sg.norm, 1.scale1 + 1.mid.shortcut',
      'strips: 1.convffn1.sg.conv, 1.convffn1.sg, 1.convffn1 + 1.mid, 1.norm3, 1.assm.route.0, 1.assm.route.1, 1.assm.route.2, 1.assm.class, 1.assm.in_proj.0',
      'once: 1.assm.order',
      'strips: 1.assm.CPE.0, 1.assm.CPE.sigmoid + 1.assm.selectiveScan.u, 1.assm.selectiveScan.x_proj',
      'channelGroups: 1.assm.selectiveScan',
      'strips: 1.assm.out_norm, 1.assm + 1.x_aca, 1.norm4, 1.convffn2.fc1, 1.convffn2.act, 1.convffn2.sg.norm, 1.scale2 + 1.shortcut',
      'strips: 1.convffn2.sg.conv, 1.convffn2.sg, 1.convffn2 + 1',
    ]);
  });

  it('keeps fewer than nine maps of its width alive', () => {
    expect(planned.activationBytes / (192 * 320 * 48 * 4)).toBeLessThan(9);
  });
});
