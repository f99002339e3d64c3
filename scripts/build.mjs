/**
 * Bundles the command line into dist/, split so that each command loads only what it needs (one
 * bundle would make `--version` pay for the twin). Hazard pages and scenarios are bundled as text.
 */
import { readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';
import { bundledModule } from './bundled-files.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

const bundledFiles = {
  name: 'bundled-files',
  setup({ onLoad }) {
    onLoad({ filter: /\.(md|yaml)$/ }, ({ path }) => ({
      contents: bundledModule(path),
      loader: 'js',
    }));
  },
};

rmSync('dist', { recursive: true, force: true });
await build({
  entryPoints: { regauge: 'src/cli/main.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  chunkNames: 'chunks/[name]-[hash]',
  minify: true,
  sourcemap: false,
  legalComments: 'linked',
  plugins: [bundledFiles],
  define: { 'process.env["REGAUGE_VERSION"]': JSON.stringify(version) },
  banner: {
    // CommonJS dependencies inside the bundle call require(); ESM has none.
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
