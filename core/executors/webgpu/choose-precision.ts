import { isMambairError } from '../../errors.js';
import { type Precision, type Tensor, tensor } from '../../tensor/tensor.js';
import type { Network, PrecisionChoice } from '../executor.js';

/**
 * Decibels by which a network in halves has to agree with the same one in float32, on a test picture. A difference of 58 dB
 * beside an error of 32 dB, which is what enlarging four times leaves, changes it by 0.01 dB.
 */
const leastAgreement = 58;

/** Side of the test picture: four windows of published networks, and it takes no time. */
const side = 32;

/** What of a device the choice hangs on. */
export interface PrecisionFacts {
  /** Whether the device computes with halves itself, which is what tells that it packs and unpacks them at no cost. */
  readonly hasHalves: boolean;
}

/**
 * Loads a network in the precision that suits device and weights: halves where the device has them, and where the network
 * in halves agrees with itself in float32 on a test picture. Both are loaded for that, and one stays.
 * @throws MAMBAIR_DEVICE_LOST, and what loading in float32 throws
 */
export async function loadInBestPrecision<N extends Network>(
  load: (precision: Precision) => Promise<N>,
  { hasHalves }: PrecisionFacts,
): Promise<{ readonly network: N; readonly choice: PrecisionChoice }> {
  const precise = await load('f32');
  const stay = (reason: string) => ({ network: precise, choice: { name: 'f32', reason } as const });
  if (!hasHalves) {
    return stay('the device has no shader-f16');
  }
  let halved: N | undefined;
  try {
    halved = await load('f16');
    const agreement = await agreementOf(precise, halved);
    const figure = `${agreement.toFixed(0)} dB from float32 on a test picture`;
    if (agreement >= leastAgreement) {
      await precise.dispose();
      return {
        network: halved,
        choice: { name: 'f16', reason: `the device has shader-f16, and the network is ${figure}` },
      };
    }
    await halved.dispose();
    const problem = Number.isFinite(agreement) ? `is only ${figure}` : 'overflows on a test picture';
    return stay(`the network in halves ${problem}`);
  } catch (error) {
    await halved?.dispose();
    if (isMambairError(error, 'MAMBAIR_DEVICE_LOST')) {
      await precise.dispose();
      throw error;
    }
    return stay(`halves could not be tried (${(error as Error).message})`);
  }
}

/** PSNR of two networks' results on the test picture; −∞ where one is not finite. */
async function agreementOf(a: Network, b: Network): Promise<number> {
  const input = testPicture(a.inputChannels);
  const routing = { kind: 'seeded', seed: 0 } as const;
  const [{ output: first }, { output: second }] = [await a.run(input, { routing }), await b.run(input, { routing })];
  let squares = 0;
  for (let at = 0; at < first.data.length; at++) {
    squares += ((first.data[at] as number) - (second.data[at] as number)) ** 2;
  }
  const error = squares / first.data.length;
  // Equal results are as near as float32 can tell.
  return Number.isFinite(error) ? -10 * Math.log10(Math.max(error, 2 ** -48)) : Number.NEGATIVE_INFINITY;
}

/** Waves, edges and flat parts, from black to white. */
function testPicture(channels: number): Tensor {
  const data = new Float32Array(channels * side * side);
  for (let at = 0; at < data.length; at++) {
    const [x, y, channel] = [at % side, Math.floor(at / side) % side, Math.floor(at / side ** 2)];
    const wave = Math.sin((x * (y + 8)) / 40 + channel);
    const isTile = ((x >> 4) + (y >> 3)) % 2 === 0;
    data[at] = y < side / 4 ? (isTile ? 1 : 0) : 0.5 + (isTile ? 0.45 : 0.1) * wave;
  }
  return tensor([1, channels, side, side], data);
}
