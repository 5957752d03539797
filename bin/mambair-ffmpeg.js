#!/usr/bin/env node
import { existsSync } from 'node:fs';

const built = new URL('../dist/cli/run-ffmpeg.js', import.meta.url);
if (existsSync(built)) {
  const { runAsFfmpeg } = await import(built.href);
  await runAsFfmpeg(process);
} else {
  console.error('mambair-ffmpeg: this copy is not built yet; run: npm install && npm run build');
  process.exitCode = 70;
}
