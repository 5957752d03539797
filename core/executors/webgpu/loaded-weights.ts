import { invariant } from '../../errors.js';
import type { Graph, GraphNode, NodeId } from '../../graph/graph.js';
import { checkWeights } from '../../graph/weights.js';
import { webgpuKernelOf } from '../../ops/webgpu-kernels.js';
import { toFloat32 } from '../../tensor/convert.js';
import { narrowFloat16 } from '../../tensor/float16.js';
import type { Precision, TensorMap } from '../../tensor/tensor.js';
import type { GpuBuffer } from './gpu.js';
import type { OpenedDevice } from './opened-device.js';
import { weighsInHalves } from './program.js';

/** A part of a buffer. */
export interface BufferSlice {
  readonly buffer: GpuBuffer;
  readonly offset: number;
  readonly size: number;
}

/** Weights on the device, packed for the kernels. */
export interface LoadedWeights {
  /** By node, then by the place in what its kernel packed. */
  readonly slices: readonly (readonly BufferSlice[])[];
  readonly buffers: readonly GpuBuffer[];
  readonly bytes: number;
  readonly precision: Precision;
}

/** Where a binding may start, by WebGPU's default limits. */
const alignment = 256;
/** Small enough for any device; a single larger array gets a buffer of its own. */
const slabBytes = 2 ** 25;

/** Packs all weights and puts them on the device, many to a buffer. @throws MAMBAIR_SHAPE_MISMATCH, MAMBAIR_OUT_OF_MEMORY */
export async function loadWeights(
  graph: Graph,
  tensors: TensorMap,
  { device, precision }: { readonly device: OpenedDevice; readonly precision: Precision },
): Promise<LoadedWeights> {
  const weights = checkWeights(graph, tensors);
  const read = ({ key }: { readonly key: string }): Float32Array => {
    const stored = weights.get(key);
    invariant(stored, `weight ${key} was not checked`);
    return toFloat32(stored);
  };
  const slabs: { bytes: number; parts: { offset: number; values: Float32Array | Uint16Array }[] }[] = [];
  const places = graph.nodes.map(({ operation, inputs }) => {
    const source: NodeId | undefined = inputs[0];
    const channels = source === undefined ? 0 : (graph.nodes[source] as GraphNode).type.channels;
    const isHalf = precision === 'f16' && weighsInHalves(operation);
    return webgpuKernelOf(operation)
      .pack(operation, read, channels)
      .map((packed) => {
        const values = isHalf ? narrowFloat16(packed) : packed;
        const bytes = Math.max(16, Math.ceil(values.byteLength / 16) * 16);
        let slab = slabs.at(-1);
        if (slab === undefined || (slab.bytes > 0 && slab.bytes + bytes > slabBytes)) {
          slab = { bytes: 0, parts: [] };
          slabs.push(slab);
        }
        const offset = slab.bytes;
        slab.parts.push({ offset, values });
        slab.bytes += Math.ceil(bytes / alignment) * alignment;
        return { slab: slabs.length - 1, offset, size: bytes };
      });
  });
  const buffers = await device.checked('weights', () =>
    slabs.map(({ bytes, parts }) => {
      const buffer = device.createStorage('weights', bytes);
      for (const { offset, values } of parts) {
        // A copy: what a kernel packs may be a view on shared memory, which Dawn cannot take.
        device.device.queue.writeBuffer(buffer, offset, values.slice() as Float32Array<ArrayBuffer>);
      }
      return buffer;
    }),
  );
  return {
    slices: places.map((own) =>
      own.map(({ slab, offset, size }) => ({ buffer: buffers[slab] as GpuBuffer, offset, size })),
    ),
    buffers,
    precision,
    bytes: slabs.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
