import type { RunResult } from '../../core/executors/executor.js';
import type { Graph } from '../../core/graph/graph.js';
import { promptTable } from '../../core/ops/selective-scan/reference.js';
import { toFloat32 } from '../../core/tensor/convert.js';
import type { TensorMap } from '../../core/tensor/tensor.js';

type Taps = RunResult['taps'];
type TapValue = NonNullable<ReturnType<Taps['get']>>;

/** A `tap.*` tensor of a fixture, and how to get it from the values of graph nodes. */
export interface GoldenTap {
  /** Name without `tap.`. */
  readonly tap: string;
  /** The nodes it is made of. */
  readonly nodes: readonly string[];
  /** The tap's values in the fixture's layout. */
  readonly compute: (taps: Taps, weights: TensorMap) => ArrayLike<number>;
}

/** Values below a block's path that the fixtures hold as tokens `[B, L, C]`, which is a node's own layout. */
const tokenTaps: Readonly<Record<string, string>> = {
  norm1: '.norm1',
  attn: '.win_mhsa.proj',
  x_win: '.x_win',
  convffn1: '.convffn1',
  mid: '.mid',
  norm3: '.norm3',
  assm: '.assm',
  x_aca: '.x_aca',
  convffn2: '.convffn2',
  out: '',
};

/** Every tap a fixture holds. @throws for a tap that nobody knows, so that none is left out unseen. */
export function goldenTaps(graph: Graph, tensors: TensorMap): GoldenTap[] {
  const blocks = graph.routes.map((id) => (graph.nodes[id]?.name ?? '').replace(/\.assm\.class$/, ''));
  const names = [...tensors.keys()].filter((key) => key.startsWith('tap.')).map((key) => key.slice('tap.'.length));
  return names.map((tap) => {
    const match = /^b(\d+)\.(.+)$/.exec(tap);
    return match === null ? networkTap(tap) : blockTap(tap, blocks[Number(match[1])] ?? '', match[2] ?? '');
  });
}

function networkTap(tap: string): GoldenTap {
  const isImage = tap === 'conv_first' || tap === 'conv_after_body';
  return {
    tap,
    nodes: [tap],
    compute: (taps) => (isImage ? channelsFirst(value(taps, tap)) : value(taps, tap).data),
  };
}

function blockTap(tap: string, block: string, name: string): GoldenTap {
  const nodeName = tokenTaps[name];
  if (nodeName !== undefined) {
    const node = `${block}${nodeName}`;
    return { tap, nodes: [node], compute: (taps) => value(taps, node).data };
  }
  const assm = `${block}.assm`;
  const [logits, order, classes] = [`${assm}.route.2`, `${assm}.order`, `${assm}.class`];
  const [u, projection, y] = ['.u', '.x_proj', ''].map((suffix) => `${assm}.selectiveScan${suffix}`) as [
    string,
    string,
    string,
  ];
  /** A node's value in scan order, channels first. */
  const sorted = (taps: Taps, node: string) => channelsFirst(inScanOrder(value(taps, node), value(taps, order)));
  switch (name) {
    case 'logits':
      return { tap, nodes: [logits], compute: (taps) => logSoftmax(value(taps, logits)) };
    case 'order':
      return { tap, nodes: [order], compute: (taps) => value(taps, order).data };
    case 'scan_u':
      return { tap, nodes: [u, order], compute: (taps) => sorted(taps, u) };
    case 'scan_y':
      return { tap, nodes: [y, order], compute: (taps) => sorted(taps, y) };
    case 'scan_delta':
    case 'scan_B':
    case 'scan_C':
      return {
        tap,
        nodes: [projection, order, classes],
        compute: (taps, weights) => {
          const operands = scanOperands(taps, weights, { block, projection, order, classes });
          return channelsFirst(operands[name]);
        },
      };
    default:
      throw new Error(`no node is known for tap.${tap}`);
  }
}

/** Δ before bias and softplus, B, and C with its prompt, in scan order `[B, H, W, channels]`. */
function scanOperands(
  taps: Taps,
  weights: TensorMap,
  names: { block: string; projection: string; order: string; classes: string },
): Record<'scan_delta' | 'scan_B' | 'scan_C', TapValue> {
  const weight = (key: string) => {
    const tensor = weights.get(`${names.block}.${key}`);
    return tensor === undefined ? new Float64Array() : Float64Array.from(toFloat32(tensor));
  };
  const dtWeight = weight('assm.selectiveScan.dt_projs_weight');
  const aLogsShape = weights.get(`${names.block}.assm.selectiveScan.A_logs`)?.shape ?? [];
  const [channels = 0, states = 0] = aLogsShape;
  const rank = dtWeight.length / channels;
  const prompt = promptTable(weight('assm.embeddingB.weight'), weight('embeddingA.weight'), states);
  const classes = value(taps, names.classes).data;
  const projected = inScanOrder(value(taps, names.projection), value(taps, names.order));
  const [batch = 0, height = 0, width = 0, columns = 0] = projected.shape;

  const make = (size: number, compute: (row: Float32Array | Int32Array, place: number, channel: number) => number) => {
    const data = new Float32Array(batch * height * width * size);
    for (let place = 0; place < batch * height * width; place += 1) {
      const row = projected.data.subarray(place * columns, (place + 1) * columns);
      for (let channel = 0; channel < size; channel += 1) {
        data[place * size + channel] = compute(row, place, channel);
      }
    }
    return { shape: [batch, height, width, size], data };
  };
  return {
    scan_delta: make(channels, (row, _, channel) => {
      let sum = 0;
      for (let r = 0; r < rank; r += 1) {
        sum += (row[r] as number) * (dtWeight[channel * rank + r] as number);
      }
      return sum;
    }),
    scan_B: make(states, (row, _, state) => row[rank + state] as number),
    scan_C: make(states, (row, place, state) => {
      const promptValue = prompt[(classes[place] as number) * states + state] as number;
      return (row[rank + states + state] as number) + promptValue;
    }),
  };
}

function value(taps: Taps, node: string): TapValue {
  const found = taps.get(node);
  if (found === undefined) {
    throw new Error(`the executor did not return the value of ${node}`);
  }
  return found;
}

/** `[B, H, W, C]` → `[B, C, H · W]`. */
function channelsFirst({ shape, data }: TapValue): Float32Array {
  const [batch = 0, height = 0, width = 0, channels = 0] = shape;
  const pixels = height * width;
  const out = new Float32Array(data.length);
  for (let item = 0; item < batch; item += 1) {
    for (let pixel = 0; pixel < pixels; pixel += 1) {
      for (let channel = 0; channel < channels; channel += 1) {
        out[(item * channels + channel) * pixels + pixel] = data[
          (item * pixels + pixel) * channels + channel
        ] as number;
      }
    }
  }
  return out;
}

/** Place p of the result is pixel order[p], for each batch item. */
function inScanOrder({ shape, data }: TapValue, order: TapValue): TapValue {
  const [batch = 0, height = 0, width = 0, channels = 0] = shape;
  const pixels = height * width;
  const out = new Float32Array(data.length);
  for (let place = 0; place < batch * pixels; place += 1) {
    const item = Math.floor(place / pixels);
    const from = (item * pixels + (order.data[place] as number)) * channels;
    out.set(data.subarray(from, from + channels), place * channels);
  }
  return { shape, data: out };
}

/** Logits minus log Σ exp(logits), per pixel. */
function logSoftmax({ shape, data }: TapValue): Float64Array {
  const tokens = shape[3] ?? 1;
  const out = Float64Array.from(data);
  for (let start = 0; start < out.length; start += tokens) {
    const row = out.subarray(start, start + tokens);
    const largest = Math.max(...row);
    const logSum = largest + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
    row.forEach((logit, token) => {
      row[token] = logit - logSum;
    });
  }
  return out;
}
