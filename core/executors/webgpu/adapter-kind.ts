import { type GpuAdapterInfo, isSoftwareAdapter, isSoftwareName } from './gpu.js';

/**
 * What an adapter is, as far as its names tell: WebGPU itself does not say. `integrated` shares the processor's memory,
 * `software` is a CPU that plays a GPU.
 */
export type GpuKind = 'discrete' | 'integrated' | 'software' | 'unknown';

/** AMD's own graphics processors have a number or a code name; the part of a processor is called only Radeon or Vega. */
const amdDiscrete = /\b(rx|pro|w\d|r[579]|hd) ?\d{3}|radeon (vii|vega (56|64|frontier))|instinct|navi|\bmi\d{2,3}\b/i;
const amdIntegrated = /radeon(\(tm\))? (graphics|\d{3}m\b|vega \d+ graphics)|vega (3|6|7|8|10|11)\b/i;
/** The numbered ones are cards; "Arc Graphics" without a number is part of a processor. */
const intelDiscrete = /\barc(\(tm\))? (pro )?[ab]\d{2,3}|\bdg[12]\b|data center gpu|\biris xe max/i;

/** `name` is the driver's own, as it lists the adapter. */
export function adapterKind(name: string, info: GpuAdapterInfo): GpuKind {
  const all = `${name} ${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  if (isSoftwareAdapter({ info }) || isSoftwareName(name)) {
    return 'software';
  }
  if (/apple|qualcomm|adreno|\bmali\b|\barm\b|powervr|img-tec|broadcom|v3d|tegra|\borin\b/i.test(all)) {
    return 'integrated';
  }
  if (/nvidia|geforce|quadro|tesla/i.test(all)) {
    return 'discrete';
  }
  if (/intel/i.test(all)) {
    return intelDiscrete.test(all) ? 'discrete' : 'integrated';
  }
  if (/\bamd\b|radeon|\bati\b|instinct/i.test(all)) {
    return amdIntegrated.test(all) ? 'integrated' : amdDiscrete.test(all) ? 'discrete' : 'unknown';
  }
  return 'unknown';
}
