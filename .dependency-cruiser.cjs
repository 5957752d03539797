// The direction of imports, checked by `npm run structure`. Which room may import which is read from the table of
// ARCHITECTURE.md: a row is | `room` | what it knows | what it may import |, and `core/` there means any room of core.
const { readFileSync } = require('node:fs');

/** What people touch: each enters the engine by its door. */
const hosts = ['cli', 'ffmpeg-filter'];
const ships = `^(core|bin|${hosts.join('|')})/`;
const roomName = new RegExp(`^(core/.+|${hosts.join('|')})$`);

const rooms = Object.fromEntries(
  readFileSync(`${__dirname}/ARCHITECTURE.md`, 'utf8')
    .split('\n')
    .map((line) => line.split('|').map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name)))
    .filter((cells) => cells.length === 5 && roomName.test(cells[1]?.[0] ?? ''))
    .map(([, [room], , imports]) => [room, imports]),
);
if (!('core/tensor' in rooms))
  throw new Error('ARCHITECTURE.md: expected the table of rooms, with a row for `core/tensor`');

/** These run anywhere, a browser included: no built-in of Node, no package, and no room that uses one. */
const portable = [
  'tensor/',
  'graph/',
  'architectures/',
  'routing/',
  'ops/',
  'onnx/',
  'plan/',
  'executors/(reference|webgpu)/',
  'executors/[^/]+\\.ts$',
];

/** May look inside any room; nothing may look at them. */
const outside = '^(test|bench|tools|training)/|\\.test\\.ts$';

/** What only tests and docs know: what each op, and the conversion of video frames, computes; it does not ship. */
const contracts =
  '^core/video/reference\\.ts$|^core/ops/[^/]+/(cases|contract)\\.ts$|^core/ops/op-(case|cases|contract)\\.ts$';

/** Where the engine, the command and its threads start. */
const started =
  '^(index|core/index|cli/run|cli/run-ffmpeg|core/library/gpu-(probe|process)|core/executors/cpu/(worker|onnxruntime-probe))\\.ts$';

const everywhere = ['core/errors.ts', 'core/nearest-name.ts'];
const nodeOnly = ['core/write-aside.ts', 'core/package-version.ts', 'core/wasm-build.ts'];
const names = Object.keys(rooms);

const escaped = (text) => text.replaceAll('.', '\\.');
const anyOf = (paths) => `^(${paths.map((path) => (path.endsWith('.ts') ? `${escaped(path)}$` : path)).join('|')})`;
/** A room's own files; a room within it, such as an executor, is another room. */
const filesOf = (room) => {
  const inner = names.filter((name) => name.startsWith(`${room}/`)).map((name) => name.slice(room.length + 1));
  return inner.length === 0 ? `${room}/` : `${room}/(?!(${inner.join('|')})/)`;
};

const directions = Object.entries(rooms).map(([room, others]) => ({
  name: `${room} imports what it may know`,
  severity: 'error',
  from: { path: `^${filesOf(room)}`, pathNot: outside },
  to: {
    path: `${ships}|^(bench|test|tools|training)/`,
    pathNot: anyOf([
      filesOf(room),
      ...(hosts.includes(room) ? [] : everywhere),
      ...others.map((other) => (names.includes(other) ? filesOf(other) : other)),
    ]),
  },
}));

module.exports = {
  forbidden: [
    { name: 'no cycles', severity: 'error', from: {}, to: { circular: true } },
    ...directions,
    {
      name: 'every room is listed',
      severity: 'error',
      from: {},
      to: {
        path: '^core/',
        pathNot: anyOf([...names.map((name) => `${name}/`), ...everywhere, ...nodeOnly, 'core/index.ts']),
      },
    },
    {
      name: 'core/index.ts is a door, not a room',
      severity: 'error',
      from: { path: '^core/', pathNot: outside },
      to: { path: '^core/index\\.ts$' },
    },
    {
      name: 'errors and names lean on nothing',
      severity: 'error',
      from: { path: anyOf(everywhere) },
      to: {},
    },
    {
      name: 'portable rooms need no Node and no package',
      severity: 'error',
      from: { path: `^core/(${portable.join('|')})`, pathNot: outside },
      to: { dependencyTypes: ['core', 'npm', 'npm-optional', 'npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'only core/image and core/library know sharp',
      severity: 'error',
      from: { path: ships, pathNot: `${outside}|^core/(image|library)/` },
      to: { path: 'node_modules/(sharp|@img)/' },
    },
    {
      name: 'only the CPU executor knows onnxruntime',
      severity: 'error',
      from: { path: ships, pathNot: `${outside}|^core/executors/cpu/` },
      to: { path: 'node_modules/onnxruntime-' },
    },
    {
      name: 'what ships needs no development tool',
      severity: 'error',
      from: { path: ships, pathNot: outside },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no dead file ships',
      severity: 'error',
      from: { path: started },
      to: { path: '^(core|cli)/', pathNot: `${outside}|${contracts}|${started}|\\.d\\.ts$`, reachable: false },
    },
    { name: 'every import is found', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.wasm\\.ts$' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.cjs'] },
  },
};
