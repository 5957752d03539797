import { createRequire } from 'node:module';
import { describe, it } from '@jest/globals';

function isInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('onnxruntime-node');
    return true;
  } catch {
    return false;
  }
}

/** `describe` where the optional package `onnxruntime-node` is installed; else one skipped test that says so. */
export function describeWithOnnxRuntime(name: string, body: () => void): void {
  if (isInstalled()) {
    describe(name, body);
  } else {
    it.skip(`${name} (needs the optional package onnxruntime-node)`, () => undefined);
  }
}
