// The one WebAssembly module of the CPU executor: every op's kernels on one imported, shared memory.
export { gemm } from '../../ops/linear/kernel.wasm';
export { convRow, depthwiseRow } from '../../ops/conv2d/kernel.wasm';
export { convRowWinograd } from '../../ops/conv2d/winograd.wasm';
export { layerNorm } from '../../ops/layer-norm/kernel.wasm';
export { gelu, leakyRelu, sigmoid, silu } from '../../ops/activation/kernel.wasm';
export { add, affine, gate, multiply, scaleAdd } from '../../ops/elementwise/kernel.wasm';
export { planarToTokens, tokensToPlanar } from '../../ops/input/kernel.wasm';
export { windowAttention } from '../../ops/window-attention/kernel.wasm';
export { copyIndices, routeArgmax, routeReplay, routeSeeded } from '../../ops/route/kernel.wasm';
export { sortByClass } from '../../ops/sort-by-class/kernel.wasm';
export { fillZero, selectiveScan } from '../../ops/selective-scan/kernel.wasm';
export { pixelShuffle } from '../../ops/pixel-shuffle/kernel.wasm';
export { upsampleNearest } from '../../ops/upsample-nearest/kernel.wasm';
