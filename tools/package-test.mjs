// Packs mambair, installs the package into an empty folder elsewhere, and does there what README.md says, as written.
// `node tools/package-test.mjs`. Needs `npm ci`; the packages that the installation needs may come from npm's cache.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';

const root = resolve(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const work = mkdtempSync(join(tmpdir(), 'mambair-package-'));
const clone = join(work, 'mambair');
const project = join(work, 'project');
// No command that is not installed; below, no scripts of the installed packages either.
const environment = { ...process.env, npm_config_yes: 'false', MAMBAIR_HOME: work };
const withoutScripts = { ...environment, npm_config_ignore_scripts: 'true' };

function run(command, cwd, env = environment) {
  console.log(`$ ${command}`);
  const began = performance.now();
  const { status, stdout } = spawnSync(command, {
    cwd,
    env,
    shell: true,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${command}: ended with ${status}\n${stdout}`);
  console.log(`  ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return stdout;
}

function expect(isTrue, what) {
  if (!isTrue) throw new Error(`expected ${what}`);
}

/** The README's code blocks of a language, with the note that stands in a comment before each. */
function codeBlocks(language) {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  const pattern = new RegExp(`(?:<!-- (.+?) -->\\n)?\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g');
  return [...text.matchAll(pattern)].map(([, note, code]) => ({ note, code }));
}

const commands = (note) =>
  codeBlocks('sh')
    .filter((block) => block.note === note)
    .flatMap(({ code }) => code.trim().split('\n'));

function checkContents({ files, size }) {
  const paths = files.map(({ path }) => path);
  const wanted =
    /^(README\.md|LICENSE|package\.json|bin\/mambair(-ffmpeg)?\.js|models\/[^/]+\.(md|webp|safetensors)|dist\/(index|(core|cli|ffmpeg-filter)\/.+)\.(js|d\.ts|wasm))$/;
  const strange = paths.filter((path) => !wanted.test(path) || path.includes('.test.'));
  expect(strange.length === 0, `no such files in the package: ${strange.join(', ')}`);
  const shipped = readdirSync(join(root, 'models')).map((name) => `models/${name}`);
  for (const path of [
    'README.md',
    'LICENSE',
    'bin/mambair.js',
    'bin/mambair-ffmpeg.js',
    'dist/index.d.ts',
    ...shipped,
  ]) {
    expect(paths.includes(path), `${path} in the package`);
  }
  for (const path of shipped.filter((name) => name.endsWith('.safetensors'))) {
    const card = path.replace(/safetensors$/, 'md');
    expect(paths.includes(card), `${card}, which says what ${path} was trained on`);
  }
  console.log(`  ${files.length} files, ${(size / 2 ** 20).toFixed(2)} MiB packed`);
}

/** The pictures that the README's commands speak of. */
async function placePictures() {
  const small = await sharp(join(root, 'examples/sample.png'))
    .extract({ left: 130, top: 20, width: 96, height: 64 })
    .toBuffer();
  for (const path of ['photo.jpg', 'holiday/beach.jpg', 'holiday/day 2/hill.png', 'Set5/HR/bird.png']) {
    mkdirSync(join(project, path, '..'), { recursive: true });
    await sharp(small).toFile(join(project, path));
  }
}

/** The clip that the README's commands for videos speak of; false without an ffmpeg. */
function placeClip() {
  const source = ['-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=10:d=0.5', '-f', 'lavfi', '-i', 'sine=d=0.5'];
  const args = ['-v', 'error', ...source, join(project, 'holiday.mp4')];
  return spawnSync('ffmpeg', args, { stdio: 'inherit' }).status === 0;
}

async function expectSize(path, width, height) {
  const found = await sharp(join(project, path)).metadata();
  expect(
    found.width === width && found.height === height,
    `${path} to be ${width} × ${height}, not ${found.width} × ${found.height}`,
  );
}

/** Checks the README's examples against the declarations of the package, strictly, then runs them. */
function runExamples() {
  const examples = codeBlocks('js').map(({ code }, index) => {
    const name = `example-${index + 1}.mjs`;
    writeFileSync(join(project, name), code);
    return name;
  });
  expect(examples.length > 0, 'a library example in the README');
  const compilerOptions = {
    strict: true,
    noEmit: true,
    allowJs: true,
    checkJs: true,
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023'],
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: examples }));
  run(`node "${join(root, 'node_modules/typescript/bin/tsc')}" -p .`, project);
  for (const name of examples) {
    process.stdout.write(run(`node ${name}`, project));
  }
}

try {
  mkdirSync(clone);
  mkdirSync(project);
  expect(
    commands('in a clone').join() === 'npm run demo,npm pack',
    'the README to use a clone as .ci/run and this test do',
  );
  const [packed] = JSON.parse(run(`npm pack --json --foreground-scripts=false --pack-destination "${clone}"`, root));
  checkContents(packed);
  run('npx publint --strict', root);

  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true, type: 'module' }));
  for (const command of commands('installs the package')) {
    expect(command.endsWith(`mambair-${version}.tgz`), `the README to install version ${version}`);
    run(command, project, withoutScripts);
  }
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const tools = Object.keys(devDependencies).filter((name) => existsSync(join(project, 'node_modules', name)));
  expect(tools.length === 0, `no development tool in the installation: ${tools.join(', ')}`);

  await placePictures();
  for (const command of commands(undefined)) {
    process.stdout.write(run(command, project));
  }
  await expectSize('photo-x2.png', 192, 128);
  await expectSize('holiday-x2/beach.webp', 192, 128);
  await expectSize('holiday-x2/day 2/hill.webp', 192, 128);
  if (placeClip()) {
    for (const command of commands('needs ffmpeg')) {
      process.stdout.write(run(command, project));
    }
    expect(existsSync(join(project, 'holiday-x2.mp4')), 'holiday-x2.mp4');
    expect(existsSync(join(project, 'holiday-x2.mkv')), 'holiday-x2.mkv');
  } else {
    console.log('skipped, for want of an ffmpeg: the commands for videos');
  }
  runExamples();
  await expectSize('photo-x2.webp', 192, 128);

  // The optional accelerator is optional.
  for (const name of ['onnxruntime-node', 'onnxruntime-common']) {
    rmSync(join(project, 'node_modules', name), { recursive: true, force: true });
  }
  run('npx mambair restore photo.jpg -o without-accelerator.png', project);
  await expectSize('without-accelerator.png', 192, 128);
  console.log('the package installs and runs as the README says');
} finally {
  rmSync(work, { recursive: true, force: true });
}
