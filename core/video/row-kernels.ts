import { readFile } from 'node:fs/promises';
import { MambairError } from '../errors.js';

/** What `rows.wasm.ts` and `byte-rows.wasm.ts` export; addresses and counts are integers. */
export interface RowKernels {
  blendRows(...args: number[]): void;
  enlargeRow(...args: number[]): void;
  yuvToRgbRow(...args: number[]): void;
  rgbToYuvRow(...args: number[]): void;
  passYuvRow(...args: number[]): void;
  reduceRow(...args: number[]): void;
  storeChromaRow(...args: number[]): void;
  codesToSignal(...args: number[]): void;
  signalToCodes(...args: number[]): void;
  lumaRow(...args: number[]): void;
  blendBytes(...args: number[]): void;
  enlargeBytes(...args: number[]): void;
  passBytes(...args: number[]): void;
  reduceBytes(...args: number[]): void;
  storeChromaBytes(...args: number[]): void;
}

const pageBytes = 65536;

let compiled: Promise<WebAssembly.Module> | undefined;

/**
 * The row kernels on a memory of their own of at least `bytes`.
 * @throws MAMBAIR_OUT_OF_MEMORY when there is not so much in one piece
 */
export async function loadRowKernels(
  bytes: number,
): Promise<{ readonly kernels: RowKernels; readonly memory: SharedArrayBuffer }> {
  compiled ??= readFile(new URL('./rows.wasm', import.meta.url)).then((code) => WebAssembly.compile(code));
  const module = await compiled;
  const pages = Math.ceil(bytes / pageBytes);
  let memory: WebAssembly.Memory;
  try {
    // The module is built for any memory up to the 65536 pages of a 32-bit address space.
    memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (cause) {
    throw new MambairError(
      'MAMBAIR_OUT_OF_MEMORY',
      `expected ${Math.ceil(bytes / 2 ** 20)} MiB in one piece to convert video frames, got none; close other programs`,
      { cause },
    );
  }
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { kernels: exports as unknown as RowKernels, memory: memory.buffer };
}
