import { adapterKind } from '../executors/webgpu/adapter-kind.js';
import { describeAdapter } from '../executors/webgpu/gpu.js';
import { describeExecutor } from '../executors/webgpu/webgpu-executor.js';
import { findAdapter, listGpus } from './gpu-adapters.js';
import type { GpuReport } from './describe-gpus.js';

// A process of its own, since asking a broken driver may end the process that asks. Prints a list of GpuReport.
const reports: GpuReport[] = [];
for (const { index, backend, name } of await listGpus()) {
  const { adapter } = await findAdapter(index);
  const { features, limits, info } = adapter;
  const kind = adapterKind(name, info);
  reports.push({
    device: `webgpu:${index}`,
    index,
    name,
    backend,
    driver: [backend, info.description].filter(Boolean).join(', '),
    description: describeExecutor(describeAdapter(adapter)),
    kind,
    isSoftware: kind === 'software',
    largestBufferBytes: Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize),
    workgroupBytes: limits.maxComputeWorkgroupStorageSize,
    workgroupInvocations: limits.maxComputeInvocationsPerWorkgroup,
    float16: features.has('shader-f16'),
    subgroups: features.has('subgroups'),
    features: [...features],
  });
}
process.stdout.write(JSON.stringify(reports));
