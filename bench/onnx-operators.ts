import { cpus } from 'node:os';
import { recognise } from '../core/architectures/architectures.js';
import { randomWeights, testPicture } from '../core/benchmark/random-weights.js';
import { invariant } from '../core/errors.js';
import type { GraphNode, NodeId, Operation } from '../core/graph/graph.js';
import { encodeModel, type OnnxAttribute, type OnnxInitializer, type OnnxNode } from '../core/onnx/encode-model.js';
import { toFloat32 } from '../core/tensor/convert.js';

/**
 * Times MambaIRv2-light ×4 (320 × 180 → 1280 × 720) in ONNX Runtime with standard operators, without the selective
 * scan, the routing and the sort, which have none: a lower bound of what it takes. Attention runs 60 windows at a
 * time, which was the fastest. Run it beside `mambair bench`:
 *
 *     npm run bench -- onnx-operators [threads]
 */
const [height, width] = [192, 320];
const windowsAtOnce = 60;
const threads = Number(process.argv[2] ?? 2);

const tensors = randomWeights('lightSR_x4');
const { graph } = recognise(tensors);
const nodes: OnnxNode[] = [];
const initializers: OnnxInitializer[] = [];
let names = 0;

const node = (operator: string, inputs: readonly string[], attributes: Record<string, OnnxAttribute> = {}): string => {
  const output = `v${names++}`;
  nodes.push({ operator, inputs, outputs: [output], attributes });
  return output;
};
const constant = (shape: readonly number[], data: Float32Array | BigInt64Array): string => {
  const name = `c${names++}`;
  initializers.push({ name, shape, data });
  return name;
};
const integers = (...values: readonly number[]): string =>
  constant([values.length], BigInt64Array.from(values, BigInt));
const scalar = (value: number): string => constant([], Float32Array.of(value));
const weight = ({ key }: { readonly key: string }): Float32Array => {
  const stored = tensors.get(key);
  invariant(stored, `${key} is missing`);
  return toFloat32(stored);
};
const vector = (reference: { readonly key: string }): string => {
  const values = weight(reference);
  return constant([values.length], values);
};
const reshape = (x: string, ...shape: readonly number[]): string => node('Reshape', [x, integers(...shape)]);
const transpose = (x: string, ...perm: readonly number[]): string => node('Transpose', [x], { perm });
const slice = (x: string, axis: number, start: number, end: number): string =>
  node('Slice', [x, integers(start), integers(end), integers(axis)]);
const concat = (axis: number, ...parts: readonly string[]): string => node('Concat', parts, { axis });

/** Cyclic shift of [H, W, C]: row r of the result is row r + by. */
const roll = (x: string, axis: number, by: number, size: number): string =>
  concat(axis, slice(x, axis, by, size), slice(x, axis, 0, by));

function linear(
  x: string,
  inputs: number,
  reference: { readonly key: string },
  bias?: { readonly key: string },
): string {
  const values = weight(reference);
  const outputs = values.length / inputs;
  const columns = new Float32Array(values.length);
  for (let out = 0; out < outputs; out++) {
    for (let k = 0; k < inputs; k++) {
      columns[k * outputs + out] = values[out * inputs + k] as number;
    }
  }
  const product = node('MatMul', [x, constant([inputs, outputs], columns)]);
  return bias === undefined ? product : node('Add', [product, vector(bias)]);
}

function convolution(x: string, channels: number, operation: Extract<Operation, { op: 'conv2d' }>): string {
  const { kernelSize, depthwise } = operation;
  const image = transpose(reshape(x, 1, height, width, channels), 0, 3, 1, 2);
  const inputs = [image, constant(operation.weight.shape, weight(operation.weight))];
  const pad = kernelSize >> 1;
  const result = node('Conv', operation.bias === undefined ? inputs : [...inputs, vector(operation.bias)], {
    kernel_shape: [kernelSize, kernelSize],
    pads: [pad, pad, pad, pad],
    group: depthwise ? channels : 1,
  });
  return reshape(transpose(result, 0, 2, 3, 1), height * width, -1);
}

const maskOf = new Map<string, string>();

/** −100 between pixels of different regions of a shifted window: [windows, 1, ws², ws²]. */
function shiftMask(windowSize: number, shift: number): string {
  const key = `${windowSize}:${shift}`;
  const known = maskOf.get(key);
  if (known !== undefined) {
    return known;
  }
  const region = (at: number, size: number): number => (at < size - windowSize ? 0 : at < size - shift ? 1 : 2);
  const [rows, columns, n] = [height / windowSize, width / windowSize, windowSize ** 2];
  const mask = new Float32Array(rows * columns * n * n);
  for (let window = 0; window < rows * columns; window++) {
    const label = Array.from({ length: n }, (_, at) => {
      const y = Math.floor(window / columns) * windowSize + Math.floor(at / windowSize);
      const x = (window % columns) * windowSize + (at % windowSize);
      return 3 * region(y, height) + region(x, width);
    });
    for (let pair = 0; pair < n * n; pair++) {
      mask[window * n * n + pair] = label[Math.floor(pair / n)] === label[pair % n] ? 0 : -100;
    }
  }
  const name = constant([rows * columns, 1, n, n], mask);
  maskOf.set(key, name);
  return name;
}

function attention(qkv: string, channels: number, operation: Extract<Operation, { op: 'windowAttention' }>): string {
  const { windowSize, heads, shift } = operation;
  const [rows, columns, n, size] = [height / windowSize, width / windowSize, windowSize ** 2, channels / heads];
  let map = reshape(qkv, height, width, 3 * channels);
  if (shift > 0) {
    map = roll(roll(map, 0, shift, height), 1, shift, width);
  }
  const cut = reshape(map, rows, windowSize, columns, windowSize, 3, heads, size);
  const windows = reshape(transpose(cut, 4, 0, 2, 5, 1, 3, 6), 3, rows * columns, heads, n, size);
  const table = weight(operation.biasTable);
  const bias = new Float32Array(heads * n * n);
  for (let pair = 0; pair < n * n; pair++) {
    const [p, q] = [Math.floor(pair / n), pair % n];
    const dy = Math.floor(p / windowSize) - Math.floor(q / windowSize) + windowSize - 1;
    const dx = (p % windowSize) - (q % windowSize) + windowSize - 1;
    for (let head = 0; head < heads; head++) {
      bias[head * n * n + pair] = table[(dy * (2 * windowSize - 1) + dx) * heads + head] as number;
    }
  }
  const biasName = constant([1, heads, n, n], bias);
  const scale = scalar(size ** -0.5);
  const parts: string[] = [];
  for (let first = 0; first < rows * columns; first += windowsAtOnce) {
    const end = Math.min(first + windowsAtOnce, rows * columns);
    const part = slice(windows, 1, first, end);
    const [q, k, v] = [0, 1, 2].map((which) =>
      reshape(slice(part, 0, which, which + 1), end - first, heads, n, size),
    ) as [string, string, string];
    let scores = node('MatMul', [node('Mul', [q, scale]), transpose(k, 0, 1, 3, 2)]);
    scores = node('Add', [scores, biasName]);
    if (shift > 0) {
      scores = node('Add', [scores, slice(shiftMask(windowSize, shift), 0, first, end)]);
    }
    parts.push(node('MatMul', [node('Softmax', [scores], { axis: -1 }), v]));
  }
  const merged = reshape(concat(0, ...parts), rows, columns, heads, windowSize, windowSize, size);
  let out = reshape(transpose(merged, 0, 3, 1, 4, 2, 5), height, width, channels);
  if (shift > 0) {
    out = roll(roll(out, 0, height - shift, height), 1, width - shift, width);
  }
  return reshape(out, height * width, channels);
}

function translate({ operation, inputs, type }: GraphNode, value: (id: NodeId) => string): string {
  const x = inputs[0] === undefined ? '' : value(inputs[0]);
  const channels = inputs[0] === undefined ? 0 : (graph.nodes[inputs[0]] as GraphNode).type.channels;
  switch (operation.op) {
    case 'input':
      return 'x';
    case 'affine': {
      const scaled = node('Mul', [x, constant([channels], Float32Array.from(operation.scale))]);
      return node('Add', [scaled, constant([channels], Float32Array.from(operation.offset))]);
    }
    case 'conv2d':
      return convolution(x, channels, operation);
    case 'linear':
      return linear(x, channels, operation.weight, operation.bias);
    case 'layerNorm':
      return node('LayerNormalization', [x, vector(operation.weight), vector(operation.bias)], {
        axis: -1,
        epsilon: { float: 1e-5 },
      });
    case 'activation': {
      if (operation.function === 'sigmoid') {
        return node('Sigmoid', [x]);
      }
      invariant(operation.function === 'gelu', `${operation.function} is not in this network`);
      const erf = node('Erf', [node('Div', [x, scalar(Math.SQRT2)])]);
      return node('Mul', [node('Mul', [x, node('Add', [erf, scalar(1)])]), scalar(0.5)]);
    }
    case 'add':
    case 'multiply':
      return node(operation.op === 'add' ? 'Add' : 'Mul', [x, value(inputs[1] as NodeId)]);
    case 'scaleChannels':
      return node('Mul', [x, vector(operation.weight)]);
    case 'sliceChannels':
      return slice(x, 1, operation.start, operation.start + operation.channels);
    case 'windowAttention':
      return attention(x, type.channels, operation);
    case 'selectiveScan':
      // Left out: only its skip connection.
      return node('Mul', [x, vector(operation.skip)]);
    case 'pixelShuffle': {
      const r = operation.factor;
      const cut = transpose(reshape(x, height, width, type.channels, r, r), 0, 3, 1, 4, 2);
      return reshape(cut, height * r * width * r, type.channels);
    }
    default:
      invariant(false, `${operation.op} is not in the dense part of this network`);
  }
}

const values = new Map<NodeId, string>();
const value = (id: NodeId): string => {
  const known = values.get(id);
  if (known !== undefined) {
    return known;
  }
  const name = translate(graph.nodes[id] as GraphNode, value);
  values.set(id, name);
  return name;
};
const output = value(graph.output);
const model = encodeModel({
  name: 'dense part',
  inputs: [{ name: 'x', shape: [height * width, 3] }],
  outputs: [{ name: output, shape: ['pixels', 3] }],
  nodes,
  initializers,
});

const { InferenceSession, Tensor } = await import('onnxruntime-node');
const session = await InferenceSession.create(model, {
  intraOpNumThreads: threads,
  extra: { session: { intra_op: { allow_spinning: '0' } } },
});
const x = new Tensor('float32', testPicture(3, height, width), [height * width, 3]);
console.log(`onnxruntime, ${threads} threads; ${cpus()[0]?.model ?? 'unknown processor'}; ${nodes.length} operators`);
for (let run = 0; run < 4; run++) {
  const cpu = process.cpuUsage();
  const wall = performance.now();
  const result = await session.run({ x });
  const { user, system } = process.cpuUsage(cpu);
  const seconds = ((user + system) / 1e6).toFixed(2);
  console.log(
    `run ${run}: ${seconds} cpu s, ${((performance.now() - wall) / 1000).toFixed(2)} wall s, ${result[output]?.dims.join(' × ')}`,
  );
}
console.log(`peak resident ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
