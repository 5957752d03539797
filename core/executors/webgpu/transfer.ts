import { invariant } from '../../errors.js';
import type { Graph, GraphNode, NodeId } from '../../graph/graph.js';
import { runWords } from '../../ops/webgpu-kernel.js';
import { narrowFloat16, widenFloat16 } from '../../tensor/float16.js';
import type { Routing } from '../executor.js';
import type { BoundProgram } from './bound-program.js';
import { bufferUsage, type GpuBuffer, type GpuQueue, mapRead } from './gpu.js';
import type { OpenedDevice } from './opened-device.js';
import { operandOf } from './program.js';
import type { Submitter } from './submitter.js';

// Numbers on their way to a device and back. What is written is always a copy: a view on shared memory would bring Dawn down.

/** Writes what the kernels of one batch item route by. */
export function writeRouting(queue: GpuQueue, bound: BoundProgram, routing: Routing, item: number): void {
  if (routing.kind === 'seeded') {
    const words = new Uint32Array(runWords.count);
    words[runWords.seed] = routing.seed;
    words[runWords.originX] = routing.originX ?? 0;
    words[runWords.originY] = routing.originY ?? 0;
    queue.writeBuffer(bound.run, 0, words);
  } else if (routing.kind !== 'argmax') {
    const given = routing.kind === 'replay' ? routing.noise : routing.classes;
    for (const [block, buffer] of bound.routeData.entries()) {
      const length = (bound.program.routeDataBytes[block] as number) / 4;
      invariant(buffer && given[block], 'the routing was checked');
      const own = given[block].slice(item * length, (item + 1) * length);
      queue.writeBuffer(buffer, 0, own as Float32Array<ArrayBuffer>);
    }
  }
}

/** The first bytes of a buffer that is read from. @throws MAMBAIR_DEVICE_LOST */
export async function readMapped(opened: OpenedDevice, readback: GpuBuffer, bytes: number): Promise<ArrayBuffer> {
  await opened.wait(readback.mapAsync(mapRead));
  const copy = readback.getMappedRange().slice(0, bytes);
  readback.unmap();
  // A lost device leaves nothing in the range.
  opened.check();
  return copy;
}

/** The buffer of a kept value, and how its numbers lie there. */
function placeOf(graph: Graph, { program, values }: BoundProgram, id: NodeId) {
  const operand = operandOf(graph, program, id);
  invariant(operand.buffer.kind === 'value', 'a kept value is one');
  const buffer = values[program.valueBuffer.get(operand.buffer.id) ?? -1];
  const { type, name } = graph.nodes[id] as GraphNode;
  invariant(buffer, `${name} was not kept`);
  return { ...operand, buffer, pixels: operand.height * operand.width, isIndices: type.kind === 'indices' };
}

/** A kept value, without its padding channels. @throws MAMBAIR_OUT_OF_MEMORY, MAMBAIR_DEVICE_LOST */
export async function readValue(
  graph: Graph,
  bound: BoundProgram,
  id: NodeId,
  { opened, submitter }: { readonly opened: OpenedDevice; readonly submitter: Submitter },
): Promise<Float32Array | Int32Array> {
  const { buffer, pixels, start, stride, channels, isHalf, isIndices } = placeOf(graph, bound, id);
  const bytes = pixels * stride * (isHalf ? 2 : 4);
  const readback = opened.createBuffer('tap', bytes, bufferUsage.mapRead | bufferUsage.copyTarget);
  await submitter.copy(buffer, readback, bytes);
  const words = await readMapped(opened, readback, bytes);
  readback.destroy();
  if (isIndices) {
    return new Int32Array(words);
  }
  const all = isHalf ? widenFloat16(new Uint16Array(words)) : new Float32Array(words);
  const data = new Float32Array(pixels * channels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const from = pixel * stride + start;
    data.set(all.subarray(from, from + channels), pixel * channels);
  }
  return data;
}

/** Puts numbers in the place of a kept value; padding channels become 0, as kernels leave them. */
export function writeValue(
  graph: Graph,
  bound: BoundProgram,
  id: NodeId,
  { queue, data }: { readonly queue: GpuQueue; readonly data: Float32Array | Int32Array },
): void {
  const { buffer, pixels, stride, channels, isHalf, isIndices } = placeOf(graph, bound, id);
  if (isIndices) {
    queue.writeBuffer(buffer, 0, Int32Array.from(data));
    return;
  }
  const all = new Float32Array(pixels * stride);
  for (let pixel = 0; pixel < pixels; pixel++) {
    all.set(data.subarray(pixel * channels, (pixel + 1) * channels), pixel * stride);
  }
  queue.writeBuffer(buffer, 0, isHalf ? (narrowFloat16(all) as Uint16Array<ArrayBuffer>) : all);
}
