import { describeAdapter } from '../executors/webgpu/gpu.js';
import { findAdapter, listGpus } from './gpu-adapters.js';
import type { GpuReport } from './describe-gpus.js';

// A process of its own, since asking a broken driver may end the process that asks. Prints a list of GpuReport.
const reports: GpuReport[] = [];
for (const { index, backend, name } of await listGpus()) {
  const { adapter, isSoftware } = await findAdapter(index);
  const { features, limits } = adapter;
  reports.push({
    device: `webgpu:${index}`,
    name,
    driver: `${backend}, ${describeAdapter(adapter)}`,
    isSoftware,
    largestBufferBytes: Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize),
    float16: features.has('shader-f16'),
    subgroups: features.has('subgroups'),
  });
}
process.stdout.write(JSON.stringify(reports));
