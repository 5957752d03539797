import { describe, expect, it } from '@jest/globals';
import { adapterKind } from './adapter-kind.js';

const named = (vendor: string, description = '') => ({ vendor, architecture: '', device: '', description });

describe('the kind of an adapter', () => {
  it.each([
    ['NVIDIA GeForce RTX 3060', 'nvidia', 'discrete'],
    ['NVIDIA H200', 'nvidia', 'discrete'],
    ['NVIDIA Tegra Orin (nvgpu)', 'nvidia', 'integrated'],
    ['AMD Radeon RX 7900 XTX (RADV NAVI31)', 'amd', 'discrete'],
    ['AMD Radeon PRO W6800', 'amd', 'discrete'],
    ['AMD Radeon Graphics (RADV RENOIR)', 'amd', 'integrated'],
    ['AMD Radeon 780M Graphics', 'amd', 'integrated'],
    ['AMD Radeon(TM) Vega 8 Graphics', 'amd', 'integrated'],
    ['AMD something new', 'amd', 'unknown'],
    ['Intel(R) Arc(TM) A770 Graphics (DG2)', 'intel', 'discrete'],
    ['Intel(R) Arc(TM) Graphics', 'intel', 'integrated'],
    ['Intel(R) UHD Graphics 630', 'intel', 'integrated'],
    ['Apple M2', 'apple', 'integrated'],
    ['Adreno (TM) 740', 'qualcomm', 'integrated'],
    ['SwiftShader Device (Subzero)', 'google', 'software'],
    ['llvmpipe (LLVM 15.0.6, 256 bits)', 'mesa', 'software'],
    ['Microsoft Basic Render Driver', 'microsoft', 'software'],
    ['A GPU of tomorrow', 'acme', 'unknown'],
  ] as const)('%s', (name, vendor, kind) => {
    expect(adapterKind(name, named(vendor))).toBe(kind);
  });

  it('is software where WebGPU says so, whatever the names', () => {
    expect(adapterKind('NVIDIA H200', { ...named('nvidia'), isFallbackAdapter: true })).toBe('software');
    expect(adapterKind('', named('', 'SwiftShader driver 5.0.0'))).toBe('software');
  });
});
