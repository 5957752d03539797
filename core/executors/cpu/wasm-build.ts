import { compileWasm, type WasmBuild } from '../../wasm-build.js';

export type { WasmBuild };

/**
 * Compiles the kernels. `auto` takes the relaxed build, which uses fused multiply-add where the machine has it, where this engine
 * validates it.
 * @throws MAMBAIR_DEVICE_UNAVAILABLE when the build asked for does not run here.
 */
export function compileKernels(
  wanted: WasmBuild | 'auto',
): Promise<{ readonly build: WasmBuild; readonly module: WebAssembly.Module }> {
  return compileWasm('kernels', { beside: import.meta.url }, wanted);
}
