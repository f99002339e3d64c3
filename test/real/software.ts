/**
 * The real software of the lane, built once and kept in the user's cache: Go modules at the versions
 * that `go/*` pins, by whatever module proxy the environment has, and Debian's packages.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir, setPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Skipped } from './skipped.ts';

const SOURCES = fileURLToPath(new URL('go/', import.meta.url));
const FLANNEL_MODULE = 'github.com/flannel-io/cni-plugin';
const FLANNEL = '1.6.2-flannel1';
/** The last reference plugin of that name: for where the module above cannot be had. */
const REFERENCE_FLANNEL = '0.9.1';
const CONTAINERD = '2.0.5';
const CONTAINERD_FLAGS = [
  '-tags',
  'no_btrfs no_devmapper no_zfs no_aufs no_tracing',
  '-ldflags',
  `-s -w -X github.com/containerd/containerd/v2/version.Version=${CONTAINERD}`,
];

export interface Software {
  /** In the order in which they are tried. */
  readonly runtimes: readonly RuntimeSoftware[];
  readonly harness: string;
  readonly pause: string;
  readonly shim: string;
  readonly runc: string;
  /** Name to path. */
  readonly plugins: Readonly<Record<string, string>>;
  readonly flannelVersion: string;
}

export interface RuntimeSoftware {
  readonly version: string;
  /** `built` or `package`, for a person. */
  readonly origin: string;
  readonly containerd: string;
  readonly shim: string;
  readonly ctr: string;
}

/** Throws Skipped where something cannot be had. */
export function obtainSoftware(tell: (line: string) => void): Software {
  const cache = new Cache(tell);
  const harness = cache.built('harness', () => buildModule('harness', ['./...'], cache.fresh));
  const plugins = cache.built('plugins', () => buildModule('plugins', ['tool'], cache.fresh));
  const flannel = obtainFlannel(cache);
  const names = readdirSync(plugins);
  return {
    runtimes: [builtContainerd(cache), ...packagedContainerd(cache)],
    harness: join(harness, 'harness'),
    pause: join(harness, 'pause'),
    shim: join(harness, 'shim'),
    runc: obtainRunc(cache),
    plugins: {
      ...Object.fromEntries(names.map((name) => [name, join(plugins, name)])),
      flannel: flannel.path,
    },
    flannelVersion: flannel.version,
  };
}

/** A directory per thing, made whole or not at all. */
class Cache {
  private readonly root: string;
  readonly tell: (line: string) => void;
  /** The directory that is being made. */
  fresh = '';

  constructor(tell: (line: string) => void) {
    const base = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
    this.root = join(base, 'regauge', 'real');
    this.tell = tell;
  }

  /** The directory of a module's binaries: as long as its sources and the toolchain are the same. */
  built(name: string, make: () => void): string {
    return this.entry(keyOf(name), `building ${name}`, make);
  }

  hasBuilt(name: string): boolean {
    return this.has(keyOf(name));
  }

  has(key: string): boolean {
    return existsSync(join(this.root, key));
  }

  entry(key: string, doing: string, make: () => void): string {
    const directory = join(this.root, key);
    if (existsSync(directory)) return directory;
    const since = Date.now();
    this.fresh = `${directory}.${process.pid}.new`;
    mkdirSync(this.fresh, { recursive: true });
    try {
      make();
      renameSync(this.fresh, directory);
    } finally {
      rmSync(this.fresh, { recursive: true, force: true });
    }
    this.tell(`${doing}: ${Math.round((Date.now() - since) / 1_000)} s`);
    return directory;
  }
}

function keyOf(name: string): string {
  const hash = createHash('sha256').update(go().version).update(process.arch);
  for (const path of filesBelow(join(SOURCES, name))) hash.update(readFileSync(path));
  return `${name}-${hash.digest('hex').slice(0, 16)}`;
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

// ---------------------------------------------------------------- Go

let foundGo: { readonly path: string; readonly version: string } | undefined;

function go(): { readonly path: string; readonly version: string } {
  for (const path of foundGo === undefined ? ['go', '/usr/local/go/bin/go'] : []) {
    const { status, stdout } = spawnSync(path, ['version'], { encoding: 'utf8' });
    if (status === 0) foundGo ??= { path, version: stdout.trim() };
  }
  if (foundGo === undefined) throw new Skipped('no Go toolchain here (https://go.dev/dl)');
  return foundGo;
}

function buildModule(
  name: string,
  packages: readonly string[],
  into: string,
  flags: readonly string[] = ['-ldflags', '-s -w'],
  cgo = false,
): void {
  const args = ['build', '-mod=readonly', '-trimpath', '-buildvcs=false', '-p=2', ...flags];
  const run = runGo([...args, '-o', `${into}/`, ...packages], join(SOURCES, name), cgo);
  if (run.failed) throw new Skipped(`cannot build ${name}: ${run.told}`);
}

function runGo(
  args: readonly string[],
  cwd: string,
  cgo = false,
): { failed: boolean; told: string } {
  const { status, stderr, error } = spawnSync(go().path, args, {
    cwd,
    encoding: 'utf8',
    timeout: 15 * 60_000,
    env: { ...process.env, CGO_ENABLED: cgo ? '1' : '0', GOWORK: 'off', GOFLAGS: '' },
  });
  if (status === 0) return { failed: false, told: '' };
  return { failed: true, told: lastLines(stderr ?? String(error)) };
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' / ');
}

/** Builds do not take the machine from its user. */
export function beModest(): void {
  setPriority(10);
}

// ---------------------------------------------------------------- the pieces

function builtContainerd(cache: Cache): RuntimeSoftware {
  const directory = cache.built('containerd', () =>
    buildModule('containerd', ['tool'], cache.fresh, CONTAINERD_FLAGS),
  );
  return runtimeIn(directory, CONTAINERD, 'built');
}

function runtimeIn(directory: string, version: string, origin: string): RuntimeSoftware {
  return {
    version,
    origin,
    containerd: join(directory, 'containerd'),
    shim: join(directory, 'containerd-shim-runc-v2'),
    ctr: join(directory, 'ctr'),
  };
}

/** The distribution's, of whatever version it is; unpacked and not installed, so it serves nobody. */
function packagedContainerd(cache: Cache): readonly RuntimeSoftware[] {
  const directory = unpacked(cache, 'containerd');
  if (directory === undefined) return [];
  const binaries = join(directory, 'usr/bin');
  const told = spawnSync(join(binaries, 'containerd'), ['--version'], { encoding: 'utf8' });
  const version = /\bv?(\d+\.\d+\.\d+)/.exec(told.stdout ?? '')?.[1];
  return version === undefined ? [] : [runtimeIn(binaries, version, 'package')];
}

function obtainRunc(cache: Cache): string {
  const directory = unpacked(cache, 'runc');
  const packaged = directory === undefined ? undefined : join(directory, 'usr/sbin/runc');
  if (packaged !== undefined && spawnSync(packaged, ['--version']).status === 0) return packaged;
  const built = cache.built('runc', () =>
    buildModule('runc', ['tool'], cache.fresh, ['-ldflags', '-s -w'], true),
  );
  return join(built, 'runc');
}

/** A package of the distribution, unpacked; nothing where there is no such distribution. */
function unpacked(cache: Cache, name: string): string | undefined {
  if (!existsSync('/usr/bin/apt-get')) return undefined;
  try {
    return cache.entry(`package-${name}`, `fetching the package ${name}`, () => {
      const options = { cwd: cache.fresh, stdio: 'ignore' as const };
      const download = (): boolean =>
        spawnSync('apt-get', ['download', name], options).status === 0;
      if (!download()) {
        spawnSync('apt-get', ['update'], options);
        if (!download()) throw new Skipped(`no package ${name}`);
      }
      const file = readdirSync(cache.fresh).find((entry) => entry.endsWith('.deb'));
      if (file === undefined) throw new Skipped(`no package ${name}`);
      const done = spawnSync('dpkg-deb', ['-x', file, '.'], options);
      if (done.status !== 0) throw new Skipped(`the package ${name} does not unpack`);
      rmSync(join(cache.fresh, file));
    });
  } catch (error) {
    if (error instanceof Skipped) return undefined;
    throw error;
  }
}

/**
 * The pinned module where it can be had; else the last reference plugin, which is older. Once that is
 * in the cache the question is not asked again.
 */
function obtainFlannel(cache: Cache): { readonly path: string; readonly version: string } {
  const later = `flannel-${FLANNEL}`;
  if (cache.has(later) || !cache.hasBuilt('flannel')) {
    try {
      const directory = cache.entry(later, 'building flannel', () =>
        buildLaterFlannel(cache.fresh),
      );
      return { path: join(directory, 'flannel'), version: FLANNEL };
    } catch (error) {
      if (!(error instanceof Skipped)) throw error;
      cache.tell(error.message);
    }
  }
  const directory = cache.built('flannel', () => buildModule('flannel', ['tool'], cache.fresh));
  return { path: join(directory, 'flannel'), version: REFERENCE_FLANNEL };
}

function buildLaterFlannel(into: string): void {
  const steps = [
    ['mod', 'init', 'regauge.dev/test/real/later-flannel'],
    ['get', '-tool', `${FLANNEL_MODULE}@v${FLANNEL}`],
    [
      'build',
      '-trimpath',
      '-buildvcs=false',
      '-p=2',
      '-ldflags',
      '-s -w',
      '-o',
      'flannel',
      FLANNEL_MODULE,
    ],
  ];
  for (const step of steps) {
    const { failed, told } = runGo(step, into);
    if (failed) throw new Skipped(`cannot build the flannel plugin ${FLANNEL}: ${told}`);
  }
}
