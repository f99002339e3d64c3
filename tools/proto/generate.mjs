/**
 * `npm run generate` in this folder: the messages here → src/knowledge/talos-api, in the house's file
 * names. `npm run check` says whether what is committed is what would be made.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, '../../src/knowledge/talos-api');
const tools = join(here, 'node_modules/.bin');

/** The generated text by path below the target, e.g. `machine/etcd.ts`. */
function generate() {
  const made = mkdtempSync(join(tmpdir(), 'regauge-proto-'));
  try {
    execFileSync(join(tools, 'buf'), ['generate', '--output', made], {
      cwd: here,
      env: { ...process.env, PATH: `${tools}:${process.env['PATH'] ?? ''}` },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    return filesBelow(join(made, 'generated')).map(([path, text]) => [
      path.replace('_pb.ts', '.ts'),
      text.replaceAll('_pb.ts"', '.ts"'),
    ]);
  } finally {
    rmSync(made, { recursive: true });
  }
}

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .map((path) => [relative(folder, path), readFileSync(path, 'utf8')])
    .sort(([left], [right]) => left.localeCompare(right));
}

function check(files) {
  const committed = new Map(filesBelow(target));
  const fresh = new Map(files);
  const stale = [...new Set([...committed.keys(), ...fresh.keys()])].filter(
    (path) => committed.get(path) !== fresh.get(path),
  );
  if (stale.length === 0) return;
  process.stderr.write(
    `stale in src/knowledge/talos-api: ${stale.join(', ')}; run npm run generate\n`,
  );
  process.exitCode = 1;
}

function write(files) {
  rmSync(target, { recursive: true, force: true });
  for (const [path, text] of files) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), text);
  }
}

if (!existsSync(join(tools, 'buf'))) {
  process.stderr.write('buf is not installed here: run npm install in tools/proto\n');
  process.exitCode = 2;
} else if (process.argv.includes('--check')) check(generate());
else write(generate());
