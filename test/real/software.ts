/**
 * The real software of the lane, built once and kept in the user's cache: Go modules at the versions
 * that `go/*` pins, by whatever module proxy the environment has, and Debian's packages.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Cache } from './cache.ts';
import { buildModule, runGo } from './go-tool.ts';
import { Skipped } from './skipped.ts';

const FLANNEL_MODULE = 'github.com/flannel-io/cni-plugin';
const FLANNEL = '1.6.2-flannel1';
/** The last reference plugin of that name: for where the module above cannot be had. */
const REFERENCE_FLANNEL = '0.9.1';
const CONTAINERD = '2.0.5';
const CONTAINERD_BUILD = {
  flags: ['-tags', 'no_btrfs no_devmapper no_zfs no_aufs no_tracing'],
  linker: `-X github.com/containerd/containerd/v2/version.Version=${CONTAINERD}`,
};

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
export function obtainSoftware(cache: Cache): Software {
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

// ---------------------------------------------------------------- the pieces

function builtContainerd(cache: Cache): RuntimeSoftware {
  const directory = cache.built('containerd', () =>
    buildModule('containerd', ['tool'], cache.fresh, CONTAINERD_BUILD),
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
    buildModule('runc', ['tool'], cache.fresh, { cgo: true }),
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
