/**
 * The arrows of docs/architecture.md: imports point down only. `npm run layers` holds them, and
 * test/layers.test.ts holds this file (it must have read the modules, and must catch a breach).
 */
const LAYERS = [
  ['base'],
  ['model'],
  ['knowledge'],
  ['ports'],
  ['twin', 'drivers'],
  ['intake', 'hazards', 'steps', 'planner', 'diagnosis'],
  ['engine'],
  ['report'],
  ['cli'],
];

const names = [...LAYERS.flat(), 'probe-agent'];
const upward = LAYERS.map((members, index) => {
  const above = LAYERS.slice(index + 1).flat();
  return { members, above };
}).filter(({ above }) => above.length > 0);

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A cycle means two files are one idea; merge them or turn one arrow round.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    ...upward.map(({ members, above }) => ({
      name: `${members.join('-')}-points-down`,
      comment: 'Imports point down only.',
      severity: 'error',
      from: { path: `^src/(${members.join('|')})/` },
      to: { path: `^src/(${above.join('|')})/` },
    })),
    {
      name: 'twin-and-drivers-are-apart',
      comment: 'Two sets of adapters behind the same ports; only the top row puts them together.',
      severity: 'error',
      from: { path: '^src/(twin|drivers)/' },
      to: { path: '^src/(twin|drivers)/', pathNot: '^src/$1/' },
    },
    {
      name: 'only-apps-compose',
      comment: 'The pure row and the engine know ports, never what is behind them.',
      severity: 'error',
      from: { path: '^src/(intake|hazards|steps|planner|diagnosis|engine|report)/' },
      to: { path: '^src/(twin|drivers)/' },
    },
    {
      name: 'pure-row-does-no-io',
      comment: 'Decisions are pure: no file, network, process or timer.',
      severity: 'error',
      from: {
        path: '^src/(base|model|knowledge|ports|intake|hazards|steps|planner|diagnosis)/',
        pathNot: '\\.test\\.ts$',
      },
      to: {
        path: '^(node:)?(fs|net|http|https|child_process|timers|worker_threads|tls|dgram)(/|$)',
      },
    },
    {
      name: 'probe-agent-stands-alone',
      comment: 'It runs on nodes, in one small file: nothing of it but the model comes along.',
      severity: 'error',
      from: { path: '^src/probe-agent/' },
      to: { path: '^src/', pathNot: '^src/(probe-agent|base|model)/' },
    },
    {
      name: 'probe-agent-is-carried-as-text',
      comment: 'Others take the program whole (agent.script), never a part of it.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/probe-agent/' },
      to: { path: '^src/probe-agent/.*\\.ts$' },
    },
    {
      name: 'no-orphan-folder',
      comment: 'Every source file belongs to a layer.',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/(${names.join('|')})/` },
      to: {},
    },
    {
      name: 'not-to-tests',
      severity: 'error',
      from: { pathNot: '\\.test\\.ts$|^test/' },
      to: { path: '\\.test\\.ts$|^test/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
};
