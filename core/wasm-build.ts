import { readFile } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { MambairError } from './errors.js';

/** The two builds of a module of kernels: `relaxed` uses instructions of the machine that WebAssembly leaves partly open. */
export type WasmBuild = 'plain' | 'relaxed';

let flagWasSet = false;

/** Node 20 knows relaxed SIMD behind a flag only, which must be set before the first module is validated. */
function allowRelaxedSimd(): void {
  const major = Number(process.versions.node.split('.')[0]);
  if (!flagWasSet && major < 22) {
    setFlagsFromString('--experimental-wasm-relaxed-simd');
  }
  flagWasSet = true;
}

/**
 * Compiles a module of kernels, `NAME.BUILD.wasm` beside the file whose URL is `beside`. `auto` takes the relaxed build where
 * this engine validates it.
 * @throws MAMBAIR_DEVICE_UNAVAILABLE when the build asked for does not run here.
 */
export async function compileWasm(
  name: string,
  { beside }: { readonly beside: string },
  wanted: WasmBuild | 'auto',
): Promise<{ readonly build: WasmBuild; readonly module: WebAssembly.Module }> {
  for (const build of wanted === 'auto' ? (['relaxed', 'plain'] as const) : [wanted]) {
    if (build === 'relaxed') {
      allowRelaxedSimd();
    }
    const bytes = await readFile(new URL(`./${name}.${build}.wasm`, beside));
    if (WebAssembly.validate(bytes)) {
      return { build, module: await WebAssembly.compile(bytes) };
    }
  }
  throw new MambairError(
    'MAMBAIR_DEVICE_UNAVAILABLE',
    `the ${wanted === 'relaxed' ? 'relaxed-SIMD ' : ''}WebAssembly kernels need SIMD and threads, which Node ${process.versions.node} does not offer on this machine; use --device reference, or a newer Node`,
  );
}
