import { testPicture } from '../benchmark/random-weights.js';
import { MambairError, throwIfCancelled } from '../errors.js';
import { checkInput } from '../executors/check-run.js';
import type { Network, Routing } from '../executors/executor.js';
import { makeProgram, operandOf } from '../executors/webgpu/program.js';
import type { Graph, GraphNode, NodeId } from '../graph/graph.js';
import type { Tensor } from '../tensor/tensor.js';

/** A value of a network that departs on one device. */
export interface Departure {
  /** Its node, an official module path. */
  readonly node: string;
  /** What it does, e.g. `layerNorm`. */
  readonly op: string;
  /** ‖a − b‖ / ‖b‖ of the two devices, or for classes and orders the share that differs; NaN for what is not finite. */
  readonly distance: number;
  /** The same with all that its kernel reads taken from the exact device: if it is small, the fault is before it. */
  readonly alone: number;
}

/** What was found wrong of a GPU. */
export interface Bisection {
  /** Of the output. */
  readonly distance: number;
  /** The first value that departs; absent where none was found. */
  readonly first?: Departure;
  /** The routing block whose classes differ most, given what it reads; absent for networks that do not route. */
  readonly router?: { readonly node: string; readonly share: number };
  /** The most that two right devices may be apart, at any node; of classes, the share. */
  readonly bounds: { readonly distance: number; readonly share: number };
}

/** How a wrong kernel is looked for. */
export interface BisectNetworksOptions {
  /** All values up to this node are the exact device's. */
  readonly from?: string;
  readonly height?: number;
  readonly width?: number;
  readonly signal?: AbortSignal;
  /** Told how many runs are behind. */
  readonly progress?: (runs: number) => void;
}

/** Both devices are within 2e-5 of the official code in float32; halves round each stored value by 5e-4. */
const mostDistance = { f32: 1e-4, f16: 3e-2 } as const;
/** Two right devices decide about one class in a million differently; in halves more. */
const mostShare = { f32: 1e-3, f16: 5e-2 } as const;

/** Nodes that are looked at in one run. */
const probes = 7;

type Values = ReadonlyMap<string, { readonly data: Float32Array | Int32Array }>;

/**
 * Finds the first value of a network that a GPU computes otherwise than an exact device, by bisection: both run a test
 * picture with the same classes, and values between are compared. Then the kernel of that value runs on the exact
 * device's values alone.
 * @throws MAMBAIR_OPTION_INVALID for an unknown node, and what running raises
 */
export async function bisectNetworks(
  graph: Graph,
  networks: { readonly gpu: Network; readonly exact: Network },
  options: BisectNetworksOptions = {},
): Promise<Bisection> {
  const { gpu, exact } = networks;
  const { height = 32, width = 32, signal } = options;
  const shape = [1, gpu.inputChannels, height, width];
  const input: Tensor = { shape, data: testPicture(gpu.inputChannels, height, width) };
  checkInput(graph, input);
  const precision = gpu.precision?.name ?? 'f32';
  const bounds = { distance: mostDistance[precision], share: mostShare[precision] };
  let runs = 0;
  const run = async (network: Network, routing: Routing, taps: readonly string[], given?: Values) => {
    throwIfCancelled(signal);
    const result = await network.run(input, {
      routing,
      taps,
      ...(given === undefined ? {} : { given: new Map([...given].map(([name, { data }]) => [name, data])) }),
      ...(signal === undefined ? {} : { signal }),
    });
    runs += 1;
    options.progress?.(runs);
    return result;
  };

  const order = computedNodes(graph, { height, width, precision });
  const nameOf = (id: NodeId): string => (graph.nodes[id] as GraphNode).name;
  const seeded: Routing = { kind: 'seeded', seed: 0 };
  const routes = graph.routes.map(nameOf);
  const decided = (await run(exact, seeded, routes)).taps;
  const classes = routes.map((name) => decided.get(name)?.data as Int32Array);
  const routing: Routing = classes.length === 0 ? { kind: 'argmax' } : { kind: 'forced', classes };
  /** The exact values that are read after the computed node of this place. */
  const exactUpTo = async (place: number, kind: Routing): Promise<Values> =>
    place < 0 ? new Map() : (await run(exact, kind, order.readAfter(place).map(nameOf))).taps;

  const start = options.from === undefined ? -1 : order.placeOf(options.from);
  const given = await exactUpTo(start, routing);
  const distancesOf = async (places: readonly number[], from: Values): Promise<readonly number[]> => {
    const names = places.map((place) => nameOf(order.ids[place] as NodeId));
    const [is, should] = [await run(gpu, routing, names, from), await run(exact, routing, names)];
    return names.map((name) => distanceOf(is.taps.get(name)?.data, should.taps.get(name)?.data));
  };

  const last = order.ids.length - 1;
  let [good, bad] = [start, last];
  const isBad = (place: number, distance: number): boolean => {
    const { kind } = (graph.nodes[order.ids[place] as NodeId] as GraphNode).type;
    return !(distance <= (kind === 'indices' ? bounds.share : bounds.distance));
  };
  let [distance = Number.NaN] = await distancesOf([last], given);
  const outputDistance = distance;
  let isFound = isBad(last, distance);
  for (let isFirst = true; bad - good > 1 && (isFound || isFirst); isFirst = false) {
    const places = spread(good, bad);
    const distances = await distancesOf(places, given);
    const at = distances.findIndex((each, index) => isBad(places[index] as number, each));
    if (at >= 0) {
      isFound = true;
      distance = distances[at] as number;
    }
    good = at === 0 ? good : (places[at < 0 ? places.length - 1 : at - 1] as number);
    bad = at < 0 ? bad : (places[at] as number);
  }
  const router = await checkRouter();
  const found = graph.nodes[order.ids[bad] as NodeId] as GraphNode;
  return {
    distance: outputDistance,
    ...(isFound ? { first: await describe(found) } : {}),
    ...(router === undefined ? {} : { router }),
    bounds,
  };

  async function describe({ name, operation }: GraphNode): Promise<Departure> {
    const [alone = Number.NaN] = await distancesOf([bad], await exactUpTo(bad - 1, routing));
    return { node: name, op: operation.op, distance, alone };
  }

  /** Every router decides on what the exact one decides on, all in one run. */
  async function checkRouter(): Promise<Bisection['router']> {
    if (routes.length === 0) {
      return undefined;
    }
    const read = graph.routes.map((id) => order.ids.indexOf(id) - 1).flatMap((place) => order.readAfter(place));
    const values = (await run(exact, seeded, [...new Set(read)].map(nameOf))).taps;
    const { taps } = await run(gpu, seeded, routes, values);
    const shares = routes.map((node, block) => ({ node, share: distanceOf(taps.get(node)?.data, classes[block]) }));
    return shares.reduce((worst, each) => (each.share > worst.share ? each : worst));
  }
}

/** The values that a GPU computes and keeps in a buffer, in their order. */
function computedNodes(graph: Graph, key: { height: number; width: number; precision: 'f32' | 'f16' }) {
  const program = makeProgram(graph, { ...key, routing: 'seeded', keep: [] });
  const calls = program.plan.steps.flatMap((step) => step.calls);
  const ids = calls.map(({ output }) => output);
  /** Parts of a value are the value's. */
  const baseOf = (id: NodeId): NodeId => {
    const { buffer } = operandOf(graph, program, id);
    return buffer.kind === 'value' ? buffer.id : id;
  };
  return {
    ids,
    readAfter: (place: number): readonly NodeId[] => {
      const before = new Set(ids.slice(0, place + 1));
      const read = new Set(calls.slice(place + 1).flatMap(({ inputs }) => inputs.map(baseOf)));
      return [...read].filter((id) => before.has(id));
    },
    placeOf: (name: string): number => {
      const place = ids.findIndex((id) => graph.nodes[id]?.name === name);
      if (place < 0) {
        throw new MambairError(
          'MAMBAIR_OPTION_INVALID',
          `no value called ${JSON.stringify(name)} is computed on a GPU`,
          {
            detail: { node: name },
          },
        );
      }
      return place;
    },
  };
}

/** Up to {@link probes} places between two others. */
function spread(good: number, bad: number): readonly number[] {
  const count = Math.min(probes, bad - good - 1);
  return Array.from({ length: count }, (_, at) => good + Math.floor(((at + 1) * (bad - good)) / (count + 1)));
}

/** ‖a − b‖ / ‖b‖, or the share of integers that differ. */
function distanceOf(a: Float32Array | Int32Array | undefined, b: Float32Array | Int32Array | undefined): number {
  if (a === undefined || b === undefined || a.length !== b.length) {
    return Number.NaN;
  }
  // The realm may differ, so the tag decides.
  const isFloat = Object.prototype.toString.call(b) === '[object Float32Array]';
  let [difference, norm] = [0, 0];
  for (let at = 0; at < b.length; at++) {
    difference += isFloat ? (a[at]! - b[at]!) ** 2 : Number(a[at] !== b[at]);
    norm += isFloat ? b[at]! ** 2 : 1;
  }
  const share = difference / norm;
  return difference === 0 ? 0 : isFloat ? Math.sqrt(share) : share;
}
