/** Installs and builds when what is there is missing or older than its sources. Node only. */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const INSTALLED = 'node_modules/.package-lock.json';
const BUILT = 'dist/regauge.js';
const SOURCES = ['src', 'scenarios', 'scripts', 'package.json'];

/** `npm ci` unless the installed tree is as new as the lock file. All output goes to stderr. */
export function ensureInstalled() {
  if (existsSync(INSTALLED) && modified(INSTALLED) >= modified('package-lock.json')) return;
  // `npm ci` would empty the folder of another checkout first.
  if (isLink('node_modules')) return;
  process.stderr.write('Installing dependencies (npm ci)…\n');
  // One command string: `npm` is a shell script on Windows, and needs the shell there.
  const install = spawnSync('npm ci --no-progress --loglevel=error', {
    stdio: ['ignore', process.stderr.fd, process.stderr.fd],
    shell: true,
  });
  if (install.status !== 0) process.exit(install.status ?? 1);
}

export function ensureBuilt() {
  ensureInstalled();
  if (existsSync(BUILT) && modified(BUILT) >= Math.max(...SOURCES.map(newest))) return;
  process.stderr.write('Building…\n');
  const build = spawnSync(process.execPath, ['scripts/build.mjs'], {
    stdio: ['ignore', process.stderr.fd, process.stderr.fd],
  });
  if (build.status !== 0) process.exit(build.status ?? 1);
}

function isLink(path) {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

function modified(path) {
  return statSync(path).mtimeMs;
}

function newest(path) {
  if (!existsSync(path)) return 0;
  if (!statSync(path).isDirectory()) return modified(path);
  return Math.max(modified(path), ...readdirSync(path).map((name) => newest(join(path, name))));
}
