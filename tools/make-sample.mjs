// Makes the pictures of examples/ from the photo that examples/README.md names: node tools/make-sample.mjs PHOTO
import sharp from 'sharp';
import { imresize } from '../dist/core/index.js';

const crop = { left: 300, top: 110, width: 640, height: 480 };
const [photo] = process.argv.slice(2);
const original = sharp(photo).extract(crop).removeAlpha();
const data = await original.clone().raw().toBuffer();
const small = imresize({ width: crop.width, height: crop.height, channels: 3, data }, { scale: 1 / 2 });
await original.webp({ lossless: true, effort: 6 }).toFile('examples/sample-original.webp');
await sharp(small.data, { raw: { width: small.width, height: small.height, channels: 3 } })
  .png({ compressionLevel: 9 })
  .toFile('examples/sample.png');
