import type { Graph, GraphNode, NodeId } from '../core/graph/graph.js';
import { type Placement, type Plan, type PlanStep, stripAt } from '../core/plan/plan.js';
import { traitsOf } from '../core/plan/traits.js';
import { windowPartAt } from '../core/plan/window-parts.js';

/** When and where a node is computed; views at the place of what they look at. */
interface Place {
  readonly step: number;
  readonly call: number;
}

/** A stretch of memory and the time in which it must not be touched by others. */
interface Life {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly first: number;
  readonly last: number;
}

/**
 * Everything that is wrong with a plan, as sentences; none for a sound one. Knows what a plan means, not how it is
 * made: values are computed once, after what they read, and stay untouched until they were read for the last time.
 */
export function planProblems(graph: Graph, plan: Plan, keep: readonly NodeId[]): readonly string[] {
  return new PlanChecker(graph, plan, keep).problems();
}

class PlanChecker {
  readonly #graph: Graph;
  readonly #plan: Plan;
  readonly #kept: ReadonlySet<NodeId>;
  readonly #places = new Map<NodeId, Place>();
  readonly #problems: string[] = [];

  constructor(graph: Graph, plan: Plan, keep: readonly NodeId[]) {
    this.#graph = graph;
    this.#plan = plan;
    this.#kept = new Set([graph.output, ...keep].map((id) => this.#baseOf(id)));
  }

  problems(): readonly string[] {
    this.#checkThatEveryNodeIsComputedOnce();
    this.#plan.steps.forEach((step, at) => {
      this.#checkStrips(step);
      this.#checkReads(step, at);
      this.#checkLives(`strip values of step ${at}`, this.#stripLives(step, at), this.#plan.stripBytes);
    });
    this.#checkLives('buffers', this.#bufferLives(), this.#plan.activationBytes);
    this.#checkFused();
    return this.#problems;
  }

  #require(isSound: boolean, problem: string): void {
    if (!isSound) {
      this.#problems.push(problem);
    }
  }

  #node(id: NodeId): GraphNode {
    return this.#graph.nodes[id] as GraphNode;
  }

  #placement(id: NodeId): Placement {
    return this.#plan.placements[id] as Placement;
  }

  #baseOf(id: NodeId): NodeId {
    const { operation, inputs } = this.#node(id);
    return operation.op === 'sliceChannels' ? this.#baseOf(inputs[0] as NodeId) : id;
  }

  #checkThatEveryNodeIsComputedOnce(): void {
    this.#plan.steps.forEach(({ calls }, step) => {
      calls.forEach(({ nodes, output }, call) => {
        this.#require(nodes.at(-1) === output, `a call for ${output} ends with ${nodes.at(-1)}`);
        for (const id of nodes) {
          this.#require(!this.#places.has(id), `${this.#node(id).name} is computed twice`);
          this.#places.set(id, { step, call });
        }
      });
    });
    this.#graph.nodes.forEach(({ name, operation }, id) => {
      const isView = operation.op === 'sliceChannels';
      this.#require(
        this.#places.has(id) !== isView,
        `${name} is ${isView ? 'computed, though a view' : 'not computed'}`,
      );
      this.#require((this.#placement(id).kind === 'view') === isView, `${name} has a wrong kind of place`);
    });
  }

  /** Strips cover the map, each pixel once, in order; a strip is whole rows or inside one. */
  #checkStrips(step: PlanStep): void {
    if (step.range === 'windows') {
      this.#checkWindows(step);
      return;
    }
    if (step.range !== 'strips') {
      this.#require(step.calls.length === 1, 'a step that is not cut into strips has several calls');
      return;
    }
    let next = 0;
    for (let index = 0; index < step.strips; index += 1) {
      const { first, count } = stripAt(step, index);
      const isRows = first % step.width === 0 && count % step.width === 0;
      const isInRow = (first % step.width) + count <= step.width;
      this.#require(first === next && count >= 1, `strip ${index} starts at ${first}, not at ${next}`);
      this.#require(count <= step.stripPixels && (isRows || isInRow), `strip ${index} has ${count} pixels`);
      next = first + count;
    }
    this.#require(next === step.height * step.width, `strips end at ${next} of ${step.height} × ${step.width}`);
  }

  /** Parts of windows cover the map, each pixel once; pixels of a window lie where the shifted attention wants them. */
  #checkWindows({ windows: cut, height, width, strips, stripPixels, calls }: PlanStep): void {
    const operations = calls.flatMap(({ nodes }) => nodes.map((id) => this.#node(id).operation));
    const attentions = operations.filter(({ op }) => op === 'windowAttention');
    const [attention] = attentions;
    if (cut === undefined || attention?.op !== 'windowAttention' || attentions.length !== 1) {
      this.#require(false, `a step of windows has ${attentions.length} attentions`);
      return;
    }
    const { windowSize, shift } = attention;
    const perRow = width / windowSize;
    const seen = new Set<number>();
    let misplaced = 0;
    let next = 0;
    for (let part = 0; part < strips; part += 1) {
      const { window, windows, pixels, runs } = windowPartAt({ height, width }, cut, part);
      this.#require(window === next && windows >= 1, `part ${part} starts at window ${window}, not at ${next}`);
      this.#require(pixels <= stripPixels, `part ${part} has ${pixels} pixels`);
      next = window + windows;
      this.#require(Math.floor(window / perRow) === Math.floor((next - 1) / perRow), `part ${part} leaves its row`);
      const columns = windows * windowSize;
      let at = 0;
      for (const run of runs) {
        this.#require(run.at === at, `part ${part} has no pixel ${at}`);
        for (; at < run.at + run.count; at += 1) {
          const y = Math.floor(window / perRow) * windowSize + Math.floor(at / columns) + shift;
          const x = (window % perRow) * windowSize + (at % columns) + shift;
          const pixel = run.first + at - run.at;
          misplaced += pixel === (y % height) * width + (x % width) ? 0 : 1;
          seen.add(pixel);
        }
      }
    }
    this.#require(misplaced === 0, `windows have ${misplaced} pixels elsewhere`);
    this.#require(seen.size === height * width, `windows have ${seen.size} pixels of ${height} × ${width}`);
  }

  /** What a call reads is there: whole, from an earlier step, or its own strip of it, from an earlier call. */
  #checkReads(step: PlanStep, at: number): void {
    step.calls.forEach(({ nodes, inputs }, call) => {
      const [first, second] = nodes;
      const wanted = [
        ...this.#node(first).inputs,
        ...(second === undefined ? [] : this.#node(second).inputs.filter((input) => input !== first)),
      ];
      this.#require(wanted.join() === inputs.join(), `the call of node ${first} reads ${inputs.join()}`);
      for (const id of nodes) {
        const { name, operation, inputs: own } = this.#node(id);
        for (const input of own.map((source) => this.#baseOf(source)).filter((source) => !nodes.includes(source))) {
          const made = this.#places.get(input) as Place;
          const { range, reads } = traitsOf(operation);
          const staysInside =
            (reads === 'pixel' || reads === 'window') && traitsOf(this.#node(input).operation).writes === 'pixel';
          const isCut = step.range === 'strips' || step.range === 'windows';
          const isThere = made.step < at || (made.step === at && made.call < call && isCut && staysInside);
          this.#require(range === step.range || range === 'strips', `${name} is in a step of ${step.range}`);
          this.#require(isThere, `${name} reads ${this.#node(input).name} before it is there`);
          const { kind } = this.#placement(input);
          this.#require(
            kind === 'buffer' || (kind === 'strip' && made.step === at),
            `${name} reads ${this.#node(input).name}, which is ${kind}`,
          );
        }
      }
    });
  }

  #stripLives(step: PlanStep, at: number): readonly Life[] {
    const lives: Life[] = [];
    step.calls.forEach(({ output }, call) => {
      const placement = this.#placement(output);
      if (placement.kind !== 'strip') {
        return;
      }
      const { name, type, operation } = this.#node(output);
      this.#require(traitsOf(operation).writes === 'pixel', `${name} writes more than a strip to a strip`);
      this.#require(placement.stride >= type.channels, `${name} has a stride below its channels`);
      const readers = step.calls.flatMap(({ inputs }, reader) =>
        inputs.some((input) => this.#baseOf(input) === output) ? [reader] : [],
      );
      const end = placement.offset + step.stripPixels * placement.stride * 4;
      lives.push({ name, start: placement.offset, end, first: call, last: Math.max(call, ...readers) });
    });
    this.#require(step.stripBytes <= this.#plan.stripBytes, `step ${at} wants more strip bytes than the plan has`);
    return lives;
  }

  #bufferLives(): readonly Life[] {
    const last = new Map<NodeId, number>();
    this.#plan.steps.forEach(({ calls }, step) => {
      for (const input of calls.flatMap(({ inputs }) => inputs)) {
        last.set(this.#baseOf(input), step);
      }
    });
    for (const id of this.#kept) {
      last.set(id, this.#plan.steps.length);
      this.#require(this.#placement(id).kind === 'buffer', `${this.#node(id).name} is not kept`);
    }
    return this.#plan.placements.flatMap((placement, id): Life[] => {
      if (placement.kind !== 'buffer') {
        return [];
      }
      const { name, type } = this.#node(id);
      const pixels = this.#plan.height * this.#plan.width * type.scale ** 2;
      const first = (this.#places.get(id) as Place).step;
      this.#require(placement.stride >= type.channels, `${name} has a stride below its channels`);
      const end = placement.offset + pixels * placement.stride * 4;
      return [{ name, start: placement.offset, end, first, last: last.get(id) ?? first }];
    });
  }

  #checkLives(what: string, lives: readonly Life[], bytes: number): void {
    const byStart = [...lives].sort((a, b) => a.start - b.start);
    byStart.forEach((life, index) => {
      this.#require(life.start >= 0 && life.end <= bytes, `${what}: ${life.name} ends at ${life.end} of ${bytes}`);
      for (const other of byStart.slice(index + 1)) {
        if (other.start >= life.end) {
          break;
        }
        const isApart = other.first > life.last || life.first > other.last;
        this.#require(isApart, `${what}: ${other.name} overwrites ${life.name}`);
      }
    });
  }

  /** A value that is never stored is wanted by its call alone. */
  #checkFused(): void {
    const readers = this.#graph.nodes.flatMap(({ inputs }) => inputs);
    const firsts = new Set(
      this.#plan.steps.flatMap(({ calls }) => calls.flatMap(({ nodes }) => (nodes.length === 2 ? [nodes[0]] : []))),
    );
    this.#graph.nodes.forEach(({ name }, id) => {
      const isFused = this.#placement(id).kind === 'fused';
      this.#require(isFused === firsts.has(id), `${name} is ${isFused ? '' : 'not '}fused, its call says otherwise`);
      const uses = readers.filter((input) => input === id).length;
      this.#require(!isFused || (uses === 1 && !this.#kept.has(id)), `${name} is fused, but others want it`);
    });
  }
}
