import { expect, it } from '@jest/globals';
import { loadModel } from '../../core/library/load-model.js';
import { evaluateFolder } from '../../core/library/evaluate-folder.js';
import { describeWithShared, sharedPath } from '../shared.js';

const weights = 'weights/mambairv2_lightSR_x4.pth';

describeWithShared('MambaIRv2-light ×4 on Set5', [weights, 'testsets/Set5'], () => {
  it('scores what the official code scores with the same noise', async () => {
    const model = await loadModel(sharedPath(weights)!, { device: 'cpu' });
    try {
      const { mean } = await evaluateFolder(model, {
        hr: sharedPath('testsets/Set5/HR')!,
        lr: sharedPath('testsets/Set5/LRbicx4')!,
        scale: 4,
      });
      // measured 32.5070; the paper prints 32.51 and 0.8992, a random draw
      expect(Math.abs(mean.psnrY - 32.507)).toBeLessThan(0.005);
      expect(Math.abs(mean.ssimY - 0.8992)).toBeLessThan(0.0002);
    } finally {
      await model.dispose();
    }
  }, 300_000);
});
