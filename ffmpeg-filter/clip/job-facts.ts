import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { findModel, packageVersion, type Model } from '../../core/index.js';
import { isAddress } from './open-clip.js';
import type { Session } from './session.js';
import type { JobFacts } from './work-folder.js';

/** Everything that the restored frames depend on. */
export async function jobFacts({
  options,
  clip,
  ffmpeg,
  decodeArgs,
  model,
  part,
  encoder,
  plan,
}: Session): Promise<JobFacts> {
  const { tile, overlap, memoryBytes, routing, seed } = options;
  const { path } = clip.header;
  return {
    mambair: packageVersion(),
    ffmpeg: ffmpeg.version.printed,
    input: isAddress(path) ? path : { path, ...(await fingerprint(path)) },
    part: part ?? 'all',
    decoding: decodeArgs.join(' '),
    model: { name: model.info.name, device: model.info.device, weights: await weightsHash(model) },
    restoring: { tile, overlap, memoryBytes, routing, seed },
    encoding: { encoder: encoder.encoder, words: plan.encode('').join(' ') },
  };
}

async function fingerprint(path: string): Promise<Readonly<Record<string, string | number>>> {
  const { size, mtimeMs } = await stat(path);
  const file = await open(path, 'r');
  try {
    const hash = createHash('sha256');
    const part = Buffer.alloc(2 ** 20);
    for (const at of [0, Math.max(0, size - part.length)]) {
      const { bytesRead } = await file.read(part, 0, part.length, at);
      hash.update(part.subarray(0, bytesRead));
    }
    return { size, modified: mtimeMs, ends: hash.digest('hex') };
  } finally {
    await file.close();
  }
}

async function weightsHash({ info }: Model): Promise<string> {
  const path = info.entry?.path ?? findModel(info.name)?.path ?? info.name;
  const hash = createHash('sha256');
  try {
    for await (const part of createReadStream(path)) {
      hash.update(part as Buffer);
    }
    return hash.digest('hex');
  } catch {
    // A model without a file: what it is made of says which it is.
    return JSON.stringify(info.config);
  }
}
