// Runs every proof of docs/gpu.md one after the other, and keeps what each prints in a folder, with how long it took. Needs a
// build and ../shared. Runs on the driver that VK_ICD_FILENAMES names, else on SwiftShader, as the tests do. PYTHON names a Python
// that has PyTorch.
// `node tools/gpu-proofs.mjs FOLDER [name…]`; a proof of precision that was broken off goes on where it was.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { runProofs } from './run-proofs.mjs';

/** Where PyTorch is; Debian's by itself. */
const { PYTHON: python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3' } = process.env;
// Names the driver.
createRequire(import.meta.url)('../test/environment.cjs');
// Tests without a GPU are skipped, which would prove nothing.
const { findAdapter } = await import('../dist/core/library/gpu-adapters.js');
await findAdapter();
const bench = (name, ...words) => ['node', `dist/bench/${name}.js`, ...words];
// jest writes to standard error.
const test = (...files) => ['sh', '-c', `node tools/test.mjs --verbose ${files.join(' ')} 2>&1`];

await runProofs((folder) => ({
  fixtures: ["every fixture of MambaIRv2's official code, inner values included", bench('gpu-fixtures')],
  scan: ['the scan beside the float64 reference: all cases, decays and lengths', bench('scan-accuracy')],
  routing: ['seeded classes, CPU and GPU', bench('gpu-routing')],
  memory: ['planned bytes are those allocated, and at most 600 MB', bench('gpu-memory')],
  limit: ['a device that binds 64 MiB', bench('gpu-limit')],
  survival: [
    'a killed process, a lost device, memory that runs out',
    test('dist/core/library/gpu-executor', 'dist/core/executors/webgpu/faulty-device'),
  ],
  bench: ['each kernel under its roof', bench('gpu'), bench('gpu', 'predicted')],
  beside: ['PyTorch on the same GPU; without CUDA only its values', [python, 'bench/gpu_beside.py']],
  precision: [
    'PSNR of the official light models in halves, whole Set5',
    bench('gpu-precision', 'whole', '4,3,2', join(folder, 'precision.jsonl')),
  ],
}));
