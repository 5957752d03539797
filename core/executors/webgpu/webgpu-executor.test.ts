import { describeExecutor } from '../../../test/conformance/executor-suite.js';
import { describeWithGpu } from '../../../test/gpu.js';
import { createGpuExecutor } from '../../library/gpu-adapters.js';

// One kernel, one order of sums for every size: what the CPU executor is held to.
describeWithGpu('on the GPU', () => describeExecutor('webgpu', () => createGpuExecutor(), 2e-6));
