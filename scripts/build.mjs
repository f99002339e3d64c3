/**
 * Bundles the command line into dist/, one bundle for each command or group of commands (one bundle
 * for all would make every command pay for the heaviest), and lets Node keep the code it compiles
 * for them (code-cache.ts). Hazard pages and scenarios are bundled as text and as data.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { builtData, toAscii } from './built-modules.mjs';
import { bundledModule } from './bundled-files.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/**
 * Commands that share nearly all their code, by bundle; any other command is a bundle of its own.
 * `incident` is, too: it reads no files, and V8 takes time for code that it only might need.
 */
const TOGETHER = { rehearsal: ['fault-worker', 'plan', 'rehearse'] };
const COMMANDS = readdirSync('src/cli/commands')
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => basename(name, '.ts'));

/** Modules of src/cli that are bundles of their own wherever they are imported when they are needed. */
const ON_DEMAND = [
  'input/live-cluster',
  'incident/incident-story',
  'report-file',
  'terminal/incident-summary',
];
const OTHER_BUNDLES = new RegExp(`/(app|commands/[\\w-]+|${ON_DEMAND.join('|')})\\.ts$`);

const bundledFiles = {
  name: 'bundled-files',
  setup({ onLoad }) {
    onLoad({ filter: /\.(md|yaml|script)$/ }, ({ path }) => ({
      contents: bundledModule(path),
      loader: 'js',
    }));
  },
};

/** Data that is the same for every run of this build, each in a file of its own beside the bundles. */
const builtModules = {
  name: 'built-modules',
  setup({ onLoad }) {
    onLoad({ filter: /\.built\.ts$/ }, async ({ path }) => {
      const functions = [...(await builtData(path, [bundledFiles]))].map(([name, json]) => {
        writeFileSync(join(folder, `${name}.built.json`), json);
        return `export function ${name}() { return require("./${name}.built.json"); }`;
      });
      return { contents: functions.join('\n'), loader: 'js' };
    });
  },
};

/** Imports of other bundles: the executable loads the app, the app a command, when it runs. */
const otherBundles = {
  name: 'other-bundles',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: OTHER_BUNDLES }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path, namespace: 'bundle' } : undefined,
    );
    onLoad({ filter: /./, namespace: 'bundle' }, ({ path }) => ({
      contents: bundleImport(basename(path, '.ts')),
      loader: 'js',
      resolveDir: resolve('src/cli'),
    }));
  },
};

function bundleImport(name) {
  if (ON_DEMAND.some((module) => basename(module) === name))
    return `module.exports = require("./${name}.js");`;
  if (name !== 'app')
    return `module.exports = require("./${bundleOf(name)}.js")[${JSON.stringify(name)}]();`;
  return 'module.exports = require("./load-bundle.ts").loadBundle(__dirname, "app.js");';
}

function bundleOf(command) {
  return Object.keys(TOGETHER).find((name) => TOGETHER[name].includes(command)) ?? command;
}

/** A module that exports each of the bundle's commands under its name, to be run when it is called. */
function entryOf(bundle) {
  return COMMANDS.filter((command) => bundleOf(command) === bundle)
    .map(
      (command) =>
        `exports[${JSON.stringify(command)}] = () => require("./commands/${command}.ts");`,
    )
    .join('\n');
}

const COMMON = {
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.19',
  // Bundles are compiled by node:vm, which imports nothing by itself.
  supported: { 'dynamic-import': false },
  minify: true,
  legalComments: 'linked',
  external: [
    ...[...COMMANDS.map(bundleOf), ...ON_DEMAND].map((bundle) => `./${basename(bundle)}.js`),
    // Made by this build alone: libraries have files that end in .json too, and those are bundled.
    './*.built.json',
  ],
  define: { 'process.env["REGAUGE_VERSION"]': JSON.stringify(version) },
  logLevel: 'warning',
};

const WRAPPED = {
  banner: { js: '(function(exports,require,module){' },
  footer: { js: '})' },
};

// Made aside and put in place whole: a build that fails, or that runs meanwhile, breaks nothing.
const folder = join('node_modules', `.regauge-build-${process.pid}`);
try {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n');
  await buildAll();
  await keepCompiledCode();
  rmSync('dist', { recursive: true, force: true });
  renameSync(folder, 'dist');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function buildAll() {
  const bundles = [...new Set(COMMANDS.map(bundleOf))];
  await Promise.all([
    build({
      ...COMMON,
      entryPoints: ['src/cli/main.ts'],
      outfile: join(folder, 'regauge.js'),
      plugins: [otherBundles],
    }),
    build({
      ...COMMON,
      ...WRAPPED,
      entryPoints: ['src/cli/app.ts'],
      outfile: join(folder, 'app.js'),
      plugins: [otherBundles],
    }),
    ...bundles.map((bundle) =>
      build({
        ...COMMON,
        ...WRAPPED,
        stdin: { contents: entryOf(bundle), resolveDir: 'src/cli', sourcefile: `${bundle}.ts` },
        outfile: join(folder, `${bundle}.js`),
        plugins: [bundledFiles, builtModules, otherBundles],
      }),
    ),
    ...ON_DEMAND.map((name) =>
      build({
        ...COMMON,
        ...WRAPPED,
        entryPoints: [`src/cli/${name}.ts`],
        outfile: join(folder, `${basename(name)}.js`),
        plugins: [bundledFiles],
      }),
    ),
  ]);
  readdirSync(folder)
    .filter((name) => name.endsWith('.js'))
    .map((name) => join(folder, name))
    // load-bundle.ts reads bundles as Latin 1; what esbuild leaves are the texts of tagged templates.
    .forEach((path) => writeFileSync(path, toAscii(readFileSync(path, 'utf8'))));
}

/** In a process of its own: what V8 keeps must not depend on what this one did. */
async function keepCompiledCode() {
  const outfile = join(folder, 'code-cache.js');
  await build({ ...COMMON, entryPoints: ['scripts/code-cache.ts'], outfile });
  const { status } = spawnSync(process.execPath, [outfile], { stdio: 'inherit' });
  rmSync(outfile);
  if (status !== 0) throw new Error('the bundles could not be tried out');
}
