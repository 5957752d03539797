/** Milliseconds that a test may take whose kernels a CPU compiles and runs, beside other tests. */
export const gpuTestMs = 240_000;
