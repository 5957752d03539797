const { TestEnvironment } = require('jest-environment-node');

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
