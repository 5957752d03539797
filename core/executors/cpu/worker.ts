import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../../errors.js';
import type { GraphNode, NodeId } from '../../graph/graph.js';
import type { BoundKernel, KernelExports, Operand, RunState } from '../../ops/cpu-kernel.js';
import { cpuKernelOf, fusedCpuKernelOf } from '../../ops/cpu-kernels.js';
import { type PlanCall, type PlanStep, stripAt } from '../../plan/plan.js';
import { windowPartAt } from '../../plan/window-parts.js';
import type { Reply, Request, ThreadData } from './messages.js';
import { OnnxKernels } from './onnx-kernels.js';
import { aligned, control, controlAddress, type Program } from './program.js';

/**
 * One thread of the CPU executor. All threads walk the same steps; in each they take parts from a shared counter and
 * wait for one another at the end. Which thread does a part never changes its values.
 */
const { module, memory, graph, packed, accelerator, thread, threads } = workerData as ThreadData;
const port = parentPort;
invariant(port, 'the CPU worker must be started as a thread');
const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as KernelExports;
const state = new Int32Array(memory.buffer, controlAddress, 16);

const isCancelled = (): boolean => Atomics.load(state, control.cancelled) !== 0;

function waitForOthers(): void {
  const generation = Atomics.load(state, control.generation);
  if (Atomics.add(state, control.arrived, 1) === threads - 1) {
    Atomics.store(state, control.arrived, 0);
    Atomics.add(state, control.generation, 1);
    Atomics.notify(state, control.generation);
  } else {
    while (Atomics.load(state, control.generation) === generation) {
      Atomics.wait(state, control.generation, generation);
    }
  }
}

/** Does its part of a strip; the promise is ONNX Runtime's. */
type StripKernel = (first: number, count: number) => void | Promise<void>;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

let onnx: OnnxKernels | undefined;
let acceleratorFailure: string | undefined;
if (accelerator) {
  try {
    onnx = await OnnxKernels.load({ ...accelerator, graph, packed, memory });
  } catch (error) {
    acceleratorFailure = messageOf(error);
  }
}

/** A program with every address filled in. */
interface BoundProgram {
  readonly steps: readonly (() => void | Promise<void>)[];
  readonly run: RunState;
}

function nodeOf(id: NodeId): GraphNode {
  const node = graph.nodes[id];
  invariant(node, `node ${id} is missing`);
  return node;
}

function bind(program: Program): BoundProgram {
  const { plan } = program;
  const run: RunState = {
    routing: 'argmax',
    seed: 0,
    originX: 0,
    originY: 0,
    routeData: [],
    inputHeight: 0,
    inputWidth: 0,
    inputAddress: 0,
  };
  const scratch = program.scratch + thread * program.scratchPerThread;
  const strip = { first: 0 };

  function operandOf(id: NodeId): Operand {
    const { type } = nodeOf(id);
    const placement = plan.placements[id];
    invariant(placement, `node ${id} has no place`);
    const size = { channels: type.channels, height: plan.height * type.scale, width: plan.width * type.scale };
    if (placement.kind === 'view') {
      const base = operandOf(placement.of);
      const { strideBytes, isLocal } = base;
      return { ...size, strideBytes, isLocal, at: (pixel) => base.at(pixel) + placement.start * 4 };
    }
    invariant(placement.kind !== 'fused', `node ${id} is never stored`);
    const strideBytes = placement.stride * 4;
    if (placement.kind === 'strip') {
      const address = scratch + placement.offset;
      return { ...size, strideBytes, isLocal: true, at: (pixel) => address + (pixel - strip.first) * strideBytes };
    }
    const address = program.activations + placement.offset;
    return { ...size, strideBytes, isLocal: false, at: (pixel) => address + pixel * strideBytes };
  }

  const counters = new Int32Array(memory.buffer, program.counters, plan.steps.length + 1);
  const nextPart = (step: number): number => Atomics.add(counters, step, 1);
  const forEachPart = (step: number, parts: number, work: (part: number) => void): void => {
    for (let part = nextPart(step); part < parts && !isCancelled(); part = nextPart(step)) {
      work(part);
    }
  };

  function bindCall({ nodes, inputs, output }: PlanCall): BoundKernel {
    const { operation } = nodeOf(nodes[0]);
    const kernel =
      nodes[1] === undefined ? cpuKernelOf(operation) : fusedCpuKernelOf(operation, nodeOf(nodes[1]).operation);
    invariant(kernel, `node ${output} has no kernel`);
    return kernel.bind({
      operation,
      inputs: inputs.map(operandOf),
      output: operandOf(output),
      packed: packed[nodes[0]] ?? [],
      kernels,
      scratch: scratch + aligned(plan.stripBytes),
      run,
      isCancelled,
    });
  }

  /** An ONNX kernel that ends the run for all threads when it fails; who started the run then does it without. */
  function bindOnnx({ inputs: [input], output }: PlanCall): StripKernel {
    invariant(onnx && input !== undefined, 'ONNX Runtime was not loaded');
    const kernel = onnx.bind(output, operandOf(input), operandOf(output));
    return async (first, count) => {
      try {
        await kernel(first, count);
      } catch (error) {
        acceleratorFailure = messageOf(error);
        Atomics.store(state, control.cancelled, 1);
      }
    };
  }

  function bindAcceleratedStrips(step: PlanStep, index: number): () => Promise<void> {
    const bound = step.calls.map(
      (call): StripKernel => (program.accelerated.has(call.output) ? bindOnnx(call) : bindCall(call)),
    );
    return async () => {
      for (let part = nextPart(index); part < step.strips && !isCancelled(); part = nextPart(index)) {
        const { first, count } = stripAt(step, part);
        strip.first = first;
        for (const kernel of bound) {
          await kernel(first, count);
        }
      }
    };
  }

  /** Attention, and what is computed pixel by pixel before and after it, of some windows after the other. */
  function bindWindows(step: PlanStep, index: number): () => void {
    const { windows: cut } = step;
    invariant(cut, 'a step of windows says how the map is cut');
    const bound = step.calls.map((call) => {
      const kernel = bindCall(call);
      const isAttention = nodeOf(call.output).operation.op === 'windowAttention';
      const isLocal = [...call.inputs, call.output].every((id) => operandOf(id).isLocal);
      return { kernel, isAttention, isLocal };
    });
    return () => {
      forEachPart(index, step.strips, (part) => {
        const { window, windows, pixels, runs } = windowPartAt(step, cut, part);
        for (const { kernel, isAttention, isLocal } of bound) {
          strip.first = 0;
          if (isAttention) {
            kernel(window, windows);
          } else if (isLocal) {
            kernel(0, pixels);
          } else {
            for (const { first, count, at } of runs) {
              strip.first = first - at;
              kernel(first, count);
            }
          }
        }
      });
    };
  }

  function bindStep(step: PlanStep, index: number): () => void | Promise<void> {
    if (step.calls.some(({ output }) => program.accelerated.has(output))) {
      return bindAcceleratedStrips(step, index);
    }
    const bound = step.calls.map(bindCall);
    // All but strips and windows are a step of one call.
    const single = (step.calls[0] as PlanCall).output;
    switch (step.range) {
      case 'strips':
        return () => {
          forEachPart(index, step.strips, (part) => {
            const { first, count } = stripAt(step, part);
            strip.first = first;
            for (const kernel of bound) {
              kernel(first, count);
            }
          });
        };
      case 'windows':
        return bindWindows(step, index);
      case 'channelGroups': {
        const groups = Math.ceil(nodeOf(single).type.channels / 4);
        const first = Math.floor((thread * groups) / threads);
        const count = Math.floor(((thread + 1) * groups) / threads) - first;
        return () => {
          if (count > 0) {
            bound[0]?.(first, count);
          }
        };
      }
      case 'once':
        return () => {
          if (thread === 0) {
            bound[0]?.(0, 1);
          }
        };
    }
  }

  const steps = plan.steps.map(bindStep);
  const result = operandOf(graph.output);
  const rowsPerPart = 32;
  steps.push(() => {
    const height = run.inputHeight * nodeOf(graph.output).type.scale;
    const width = run.inputWidth * nodeOf(graph.output).type.scale;
    forEachPart(plan.steps.length, Math.ceil(height / rowsPerPart), (part) => {
      const first = part * rowsPerPart;
      const rows = Math.min(rowsPerPart, height - first);
      kernels.tokensToPlanar(
        result.at(0),
        result.strideBytes,
        result.channels,
        height,
        width,
        result.width,
        first,
        rows,
        program.output,
      );
    });
  });
  return { steps, run };
}

const programs = new Map<number, BoundProgram>();

async function handle(request: Request): Promise<void> {
  switch (request.kind) {
    case 'bind':
      programs.set(request.program.id, bind(request.program));
      break;
    case 'forget':
      programs.delete(request.program);
      break;
    case 'run': {
      const program = programs.get(request.program);
      invariant(program, `program ${request.program} was not bound`);
      Object.assign(program.run, request.run);
      for (const [index, step] of program.steps.entries()) {
        if (thread === 0) {
          Atomics.store(state, control.step, index);
        }
        if (!isCancelled()) {
          const pending = step();
          if (pending) {
            await pending;
          }
        }
        waitForOthers();
      }
      reply('finished');
      break;
    }
  }
}

function reply(kind: Reply['kind']): void {
  port?.postMessage({ kind, acceleratorFailure, acceleratorVersion: onnx?.version } satisfies Reply);
}

let handled = Promise.resolve();
port.on('message', (request: Request) => {
  handled = handled.then(() => handle(request));
});
reply('ready');
