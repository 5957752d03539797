#!/usr/bin/env node
import { existsSync } from 'node:fs';

const built = new URL('../dist/cli/run.js', import.meta.url);
if (existsSync(built)) {
  const { run } = await import(built.href);
  await run(process);
} else {
  console.error('mambair: this copy is not built yet; run: npm install && npm run build');
  process.exitCode = 70;
}
