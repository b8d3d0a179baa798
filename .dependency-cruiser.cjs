/**
 * The import ranks of the house, as a check. Three facts stand behind them: host and guest share nothing but the bus;
 * user mode sees nothing but the UAPI; time, files and processes exist only at the edge.
 *
 * Each room lists every room it may import besides itself. What is not listed is forbidden.
 */
const kit = ['base', 'device-kit'];
const wire = [...kit, 'wire'];
const machinery = [...wire, 'trace', 'sim'];
const hardware = [...machinery, 'bus'];
const linuxAndFreebsd = [...hardware, 'guest/uapi', 'guest/hv'];
const world = [...hardware, 'host', 'guest/uapi', 'guest/hv', 'guest/linux', 'guest/freebsd', 'user'];
const library = [...world, 'machine', 'scenario', 'explore', 'drill', 'report'];
const outside = [...library, 'index', 'devices'];

const MAY_IMPORT = {
  base: [],
  'device-kit': ['base'],
  wire: kit,
  trace: wire,
  sim: [...wire, 'trace'],
  bus: machinery,
  host: hardware,
  'guest/uapi': hardware,
  'guest/hv': [...hardware, 'guest/uapi'],
  'guest/linux': linuxAndFreebsd,
  'guest/freebsd': linuxAndFreebsd,
  user: [...machinery, 'guest/uapi'],
  machine: world,
  scenario: [...world, 'machine'],
  explore: [...world, 'machine', 'scenario'],
  drill: [...world, 'machine', 'scenario', 'explore'],
  report: [...world, 'machine', 'scenario', 'explore', 'drill'],
  index: library,
  vitest: library,
  campaign: outside,
  live: outside,
  vm: outside,
  serve: outside,
  cli: [...outside, 'campaign', 'live', 'vm', 'serve'],
  devices: ['device-kit'],
};
const EDGE = ['campaign', 'live', 'vm', 'serve', 'cli'];
const BELOW_THE_EDGE = Object.keys(MAY_IMPORT).filter((room) => !EDGE.includes(room));

/** A room is a folder, or a single file while it is small. */
const where = (room) => (room === 'devices' ? '^devices/' : `^src/${room}(/|\\.ts$)`);
const ours = '^(src|devices|test)/';

module.exports = {
  forbidden: [
    ...Object.entries(MAY_IMPORT).map(([room, allowed]) => ({
      name: `rank-of-${room.replace('/', '-')}`,
      comment: `${room} may import itself${allowed.length > 0 ? `, ${allowed.join(', ')}` : ''}: nothing else of ours`,
      severity: 'error',
      from: { path: where(room) },
      to: { path: ours, pathNot: [room, ...allowed].map(where) },
    })),
    {
      name: 'every-room-has-a-rank',
      comment: 'A new folder needs a line in MAY_IMPORT, and in the design, before it imports anything.',
      severity: 'error',
      from: { path: '^src/', pathNot: Object.keys(MAY_IMPORT).map(where) },
      to: {},
    },
    {
      name: 'no-node-below-the-edge',
      comment: 'Files, processes, timers and threads exist only at the edge.',
      severity: 'error',
      from: { path: BELOW_THE_EDGE.map(where) },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'base-and-devices-are-plain',
      comment: 'base, the device kit and the devices stand on the language alone.',
      severity: 'error',
      from: { path: ['base', 'device-kit', 'devices'].map(where) },
      to: { dependencyTypes: ['npm', 'npm-optional', 'npm-dev', 'npm-peer', 'npm-no-pkg', 'core'] },
    },
    {
      name: 'shipped-code-has-shipped-packages',
      comment: 'src and devices run where devDependencies are not installed.',
      severity: 'error',
      from: { path: '^(src|devices)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'imports-resolve',
      comment: 'A path or package that is not there.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'node', 'default'] },
  },
};
