import { type CaseRouting, type Draw, type OpCase, within } from '../op-case.js';

type Size = readonly [height: number, width: number];

interface Problem {
  readonly tokens: number;
  readonly routing: CaseRouting;
  readonly size: Size;
  readonly logits: Draw;
}

function route(id: string, why: string, { tokens, routing, size: [height, width], logits }: Problem): OpCase {
  return {
    id: `${id}, ${tokens} tokens, ${routing.kind}`,
    why,
    height,
    width,
    channels: tokens,
    values: logits,
    routing,
    build: ({ graph, image, name, nextBlock }) => graph.route(name('class'), image, { block: nextBlock(), tokens }),
  };
}

const tokenCounts = [1, 2, 5, 16, 17, 64, 128] as const;
const small: Size = [5, 13];
const large: Size = [30, 40];
const seeded: CaseRouting = { kind: 'seeded', seed: 0xdecade, originX: 640, originY: 0xffffff00 };

/** Logits of a router that is sure: one token far above the rest. */
const sure: Draw = (random, { channel, pixel }) => (channel === pixel % 5 ? 30 : 2 * random() - 1);

export const routeCases: readonly OpCase[] = tokenCounts.flatMap((tokens) => [
  ...(['argmax', 'replay', 'forced'] as const).map((kind) =>
    route('small map', 'every token count, whole vectors or not', {
      tokens,
      routing: { kind },
      size: small,
      logits: within(3),
    }),
  ),
  route('ties', 'the lowest token wins', { tokens, routing: { kind: 'argmax' }, size: small, logits: () => 0.25 }),
  route('equal logits', 'the noise alone decides', { tokens, routing: seeded, size: large, logits: () => -2 }),
  route('near-uniform', 'most tokens can win', { tokens, routing: seeded, size: large, logits: within(1e-3) }),
  route('usual', 'logits as trained routers give them', { tokens, routing: seeded, size: large, logits: within(4) }),
  route('wide', 'few tokens can win', { tokens, routing: seeded, size: large, logits: within(60) }),
  route('beyond the exponential', 'e^logit is no float32 number', {
    tokens,
    routing: seeded,
    size: large,
    logits: within(300),
  }),
  route('sure', 'one token wins nearly always', { tokens, routing: seeded, size: large, logits: sure }),
]);

/** Decisions enough to meet some between two tokens that score alike within rounding: about one in a million. */
export function manyDecisions(seed: number, logits: Draw = within(1)): OpCase {
  const routing: CaseRouting = { kind: 'seeded', seed, originX: 7, originY: 1000 };
  const why = 'two float32 engines may differ where the two best tokens are closer than rounding';
  return route(`many decisions, seed ${seed}`, why, { tokens: 64, routing, size: [300, 400], logits });
}
