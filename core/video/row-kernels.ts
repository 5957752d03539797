import { MambairError } from '../errors.js';
import { compileWasm, type WasmBuild } from '../wasm-build.js';

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
  setBytes(...args: number[]): void;
  passBytes(...args: number[]): void;
}

const pageBytes = 65536;

const compiled = new Map<WasmBuild | 'auto', Promise<WebAssembly.Module>>();

/**
 * The row kernels on a memory of their own of at least `bytes`. Both builds give the same bytes.
 * @throws MAMBAIR_OUT_OF_MEMORY when there is not so much in one piece, MAMBAIR_DEVICE_UNAVAILABLE without WebAssembly SIMD
 */
export async function loadRowKernels(
  bytes: number,
  build: WasmBuild | 'auto' = 'auto',
): Promise<{ readonly kernels: RowKernels; readonly memory: ArrayBuffer }> {
  const compiling =
    compiled.get(build) ?? compileWasm('rows', { beside: import.meta.url }, build).then(({ module: made }) => made);
  compiled.set(build, compiling);
  const module = await compiling;
  const pages = Math.ceil(bytes / pageBytes);
  let memory: WebAssembly.Memory<false>;
  try {
    // The module is built for any memory up to the 65536 pages of a 32-bit address space.
    memory = new WebAssembly.Memory<false>({ initial: pages, maximum: pages });
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
