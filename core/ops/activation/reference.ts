import type { ActivationFunction } from '../../graph/graph.js';
import type { FeatureMap } from '../feature-map.js';

// Looked up once: in a vm context, such as a test runner's, a global costs more than the arithmetic around it.
const { abs, exp, log1p } = Math;

/**
 * The error function to float64 rounding, by the series of positive terms
 * erf(x) = 2/√π · e^(−x²) · Σ_n x·(2x²)ⁿ / (1·3·5···(2n+1)) (Abramowitz and Stegun 7.1.6). Beyond 6 it is ±1.
 */
export function erf(x: number): number {
  if (abs(x) >= 6) {
    return Math.sign(x);
  }
  let term = x;
  let sum = x;
  for (let n = 1; abs(term) > abs(sum) * 1e-17; n += 1) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * exp(-x * x) * sum;
}

/** GELU in its exact form, x · Φ(x) (Hendrycks and Gimpel, 2016), not the tanh approximation. */
export function gelu(x: number): number {
  return 0.5 * x * (1 + erf(x / Math.SQRT2));
}

/** 1 / (1 + e^(−x)). */
export function sigmoid(x: number): number {
  return 1 / (1 + exp(-x));
}

/** x · sigmoid(x). */
export function silu(x: number): number {
  return x * sigmoid(x);
}

/** log(1 + eˣ); PyTorch and the CUDA scan switch to x above 20, where both are equal in float32. */
export function softplus(x: number): number {
  return x > 20 ? x : log1p(exp(x));
}

/** Applies a function to every value. `slope` is leakyRelu's factor for x < 0. */
export function activationReference(x: FeatureMap, name: ActivationFunction, slope = 0): FeatureMap {
  const functions: Record<ActivationFunction, (value: number) => number> = {
    gelu,
    sigmoid,
    silu,
    leakyRelu: (value) => (value < 0 ? value * slope : value),
  };
  return { ...x, data: x.data.map(functions[name]) };
}
