import { type CpuKernel, inputOf, type OperationOf, padded, vectorsOf } from '../cpu-kernel.js';

function binary<N extends 'add' | 'multiply'>(name: N): CpuKernel<OperationOf<N>> {
  return {
    pack: () => [],
    bind({ inputs, output: y, kernels }) {
      const a = inputOf(inputs, 0);
      const b = inputOf(inputs, 1);
      const vectors = vectorsOf(y.channels);
      const kernel = kernels[name];
      return (first, count) => {
        kernel(a.at(first), a.strideBytes, b.at(first), b.strideBytes, y.at(first), y.strideBytes, count, vectors);
      };
    },
  };
}

export const addCpu = binary('add');
export const multiplyCpu = binary('multiply');

const bindAffine: CpuKernel<OperationOf<'affine' | 'scaleChannels'>>['bind'] = ({
  inputs,
  output: y,
  packed: [scale = 0, offset = 0],
  kernels,
}) => {
  const x = inputOf(inputs, 0);
  const vectors = vectorsOf(y.channels);
  return (first, count) => {
    kernels.affine(x.at(first), x.strideBytes, y.at(first), y.strideBytes, count, vectors, scale, offset);
  };
};

export const affineCpu: CpuKernel<OperationOf<'affine'>> = {
  pack: ({ scale, offset }) => [padded(Float32Array.from(scale), 4), padded(Float32Array.from(offset), 4)],
  bind: bindAffine,
};

export const scaleChannelsCpu: CpuKernel<OperationOf<'scaleChannels'>> = {
  pack({ weight }, read) {
    const scale = padded(read(weight), 4);
    return [scale, new Float32Array(scale.length)];
  },
  bind: bindAffine,
};
