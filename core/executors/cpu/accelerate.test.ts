import { describe, expect, it } from '@jest/globals';
import { buildMambaIRv2 } from '../../architectures/mambairv2/build.js';
import { publishedConfigurations } from '../../architectures/mambairv2/published.js';
import type { Graph, NodeId } from '../../graph/graph.js';
import { acceleratedNodes, acceleratedStripPixels } from './accelerate.js';

const graphOf = (name: string): Graph => {
  const found = publishedConfigurations.find((published) => published.name === name);
  if (!found) {
    throw new Error(`no configuration is called ${name}`);
  }
  return buildMambaIRv2(found.config);
};

const namesOf = (graph: Graph, nodes: readonly NodeId[]): readonly string[] =>
  nodes.map((id) => graph.nodes[id]?.name ?? '');

describe('what goes to ONNX Runtime', () => {
  it('is nothing when it is off', () => {
    expect(acceleratedNodes(graphOf('SR_x2'), 'off')).toEqual([]);
  });

  it('is every linear layer and dense convolution when it is on', () => {
    const graph = graphOf('lightSR_x2');
    const dense = graph.nodes.flatMap(({ operation }, id) =>
      operation.op === 'linear' || (operation.op === 'conv2d' && !operation.depthwise) ? [id] : [],
    );
    expect(acceleratedNodes(graph, 'on')).toEqual(dense);
  });

  it.each(['lightSR_x2', 'lightSR_x4'])('is nothing by itself for %s', (name) => {
    expect(acceleratedNodes(graphOf(name), 'auto', 'x64')).toEqual([]);
  });

  it('is nothing by itself where vectors are no wider than WebAssembly’s', () => {
    expect(acceleratedNodes(graphOf('SR_x2'), 'auto', 'arm64')).toEqual([]);
  });

  it.each(['SRSmall_x2', 'SR_x2', 'SRLarge_x4'])('is the wide layers of %s by itself', (name) => {
    const graph = graphOf(name);
    const names = namesOf(graph, acceleratedNodes(graph, 'auto', 'x64'));
    const block = 'layers.0.residual_group.layers.0';
    expect(names).toEqual(expect.arrayContaining([`${block}.wqkv`, `${block}.convffn1`, 'layers.0.conv']));
    // Three input channels; three output channels; few inputs.
    for (const narrow of ['conv_first', 'conv_last', `${block}.assm.route.2`]) {
      expect(names).not.toContain(narrow);
    }
  });

  it('wants strips that pay for a call, and convolutions eight rows within bounds', () => {
    const graph = graphOf('SR_x2');
    const operationOf = (name: string) => {
      const found = graph.nodes.find((node) => node.name === name);
      if (!found) {
        throw new Error(`no node is called ${name}`);
      }
      return found.operation;
    };
    const widths = [16, 64, 100, 1280, 4096];
    const linear = operationOf('layers.0.residual_group.layers.0.wqkv');
    expect(widths.map((width) => acceleratedStripPixels(linear, width))).toEqual([512, 512, 512, 512, 512]);
    const conv = operationOf('conv_after_body');
    expect(widths.map((width) => acceleratedStripPixels(conv, width))).toEqual([512, 512, 800, 4096, 4096]);
  });
});
