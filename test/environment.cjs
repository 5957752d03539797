const { existsSync } = require('node:fs');
const { TestEnvironment } = require('jest-environment-node');

/**
 * Tests of GPU kernels run on SwiftShader, a GPU played by the CPU that Debian's chromium brings, unless the environment
 * names another driver. Set here, since what a test sets does not reach native code.
 */
const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (process.env.VK_ICD_FILENAMES === undefined && existsSync(swiftShader)) {
  process.env.VK_ICD_FILENAMES = swiftShader;
}

/** Node environment whose typed arrays are the outer realm's, so that native modules accept them. */
module.exports = class extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    const names = [
      'ArrayBuffer',
      'SharedArrayBuffer',
      'DataView',
      'Int8Array',
      'Uint8Array',
      'Uint8ClampedArray',
      'Int16Array',
      'Uint16Array',
      'Int32Array',
      'Uint32Array',
      'Float32Array',
      'Float64Array',
      'BigInt64Array',
      'BigUint64Array',
    ];
    for (const name of names) this.global[name] = globalThis[name];
  }
};
