/** The calls of the Helm port as runs of Helm. */
import { RegaugeError } from '../../base/errors.ts';
import type { CallOptions, HelmPort, ReleaseRequest, ReleaseStatus } from '../../ports/index.ts';
import { bounded, type Bounds } from './bounded.ts';
import type { Capabilities } from './capabilities.ts';
import type { HelmClient } from './helm-client.ts';
import { objectsIn } from './output.ts';
import {
  historyOf,
  lastOf,
  presentStatus,
  type ReleaseName,
  rollBack,
  statusOf,
} from './releases.ts';
import { refuseUnfinished, repair, type RepairSettings } from './unfinished.ts';

export interface HelmContext {
  readonly helm: HelmClient;
  readonly repairs: RepairSettings;
  readonly capabilities?: () => Promise<Capabilities>;
}

const READ_MS = 60_000;
/** What Helm waits for hooks by default (`--timeout`), and what its writes take besides. */
const WRITE_MS = 6 * 60_000;
/** To learn how a release stands after something went wrong with it. */
const LOOK_MS = 15_000;

type Reads = Pick<HelmPort, 'status' | 'history' | 'manifest' | 'template'>;
type Writes = Pick<HelmPort, 'upgradeOrInstall' | 'repair' | 'uninstall' | 'rollback'>;

export function reads(context: HelmContext): Reads {
  const { helm } = context;
  return {
    status: (release, namespace, call = {}) =>
      bounded(call, READ_MS, (bounds) => statusOf(helm, release, namespace, bounds)),
    history: (release, namespace, call = {}) =>
      bounded(call, READ_MS, (bounds) => historyOf(helm, release, namespace, bounds)),
    manifest: (release, namespace, { revision, ...call } = {}) =>
      bounded(call, READ_MS, async (bounds) => {
        const wanted = revision === undefined ? [] : ['--revision', String(revision)];
        const args = ['get', 'manifest', release, ...wanted];
        return objectsIn(await helm.run(args, { namespace }, bounds));
      }),
    template: (request, call = {}) =>
      bounded(call, READ_MS, (bounds) => template(context, request, bounds)),
  };
}

export function writes({ helm, repairs }: HelmContext): Writes {
  const change = <T>(
    name: ReleaseName,
    call: CallOptions,
    work: (bounds: Bounds) => Promise<T>,
  ): Promise<T> => bounded(call, WRITE_MS, (bounds) => telling(helm, name, () => work(bounds)));
  return {
    upgradeOrInstall: (request, { unfinished = 'refuse', ...call } = {}) =>
      bounded(call, WRITE_MS, async (bounds) => {
        if (unfinished === 'refuse') await refuseUnfinished(helm, request, bounds);
        return telling(helm, request, async () => {
          if (unfinished === 'repair') await repair(helm, request, repairs, bounds);
          return upgradeOrInstall(helm, request, bounds);
        });
      }),
    repair: (release, namespace, call = {}) =>
      change({ release, namespace }, call, (bounds) =>
        repair(helm, { release, namespace }, repairs, bounds),
      ),
    uninstall: (release, namespace, call = {}) =>
      change({ release, namespace }, call, async (bounds) => {
        await helm.write(['uninstall', release], { namespace }, bounds);
      }),
    rollback: (release, namespace, revision, call = {}) =>
      change({ release, namespace }, call, async (bounds) => {
        await rollBack(helm, { release, namespace }, revision, bounds);
        return presentStatus(helm, { release, namespace }, bounds);
      }),
  };
}

async function upgradeOrInstall(
  helm: HelmClient,
  { release, namespace, chart, version, values }: ReleaseRequest,
  bounds: Bounds,
): Promise<ReleaseStatus> {
  const source = await helm.chart(chart, version, bounds);
  // Without --reset-values Helm takes the values of before where none are given.
  const given = ['--install', '--reset-values', '--values', '-'];
  const args = ['upgrade', release, ...source, ...given, ...(await helm.overwriting())];
  await helm.write(args, { namespace, values }, bounds);
  return presentStatus(helm, { release, namespace }, bounds);
}

async function template(
  { helm, capabilities }: HelmContext,
  { release, namespace, chart, version, values }: ReleaseRequest,
  bounds: Bounds,
): ReturnType<HelmPort['template']> {
  const source = await helm.chart(chart, version, bounds);
  const cluster = await capabilities?.();
  const able = cluster === undefined ? [] : capabilityFlags(cluster);
  // Hooks are no part of a release's manifest either.
  const args = ['template', release, ...source, '--no-hooks', '--values', '-', ...able];
  return objectsIn(await helm.run(args, { namespace, values }, bounds));
}

/** An argument has a limit of 128 KiB, and a cluster may serve thousands of kinds. */
const VERSIONS_IN_ARGUMENT = 200;

function capabilityFlags({ kubeVersion, apiVersions }: Capabilities): readonly string[] {
  const flags = ['--kube-version', kubeVersion];
  for (let at = 0; at < apiVersions.length; at += VERSIONS_IN_ARGUMENT) {
    flags.push('--api-versions', apiVersions.slice(at, at + VERSIONS_IN_ARGUMENT).join(','));
  }
  return flags;
}

/** What may have left the release otherwise than it was. */
const LEAVES_TRACES: ReadonlySet<string> = new Set([
  'refused',
  'conflict',
  'timeout',
  'interrupted',
  'forbidden',
  'unreachable',
]);

/** How the release stands is looked up after every write that failed: it may be half-way now. */
async function telling<T>(
  helm: HelmClient,
  { release, namespace }: ReleaseName,
  write: () => Promise<T>,
): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof RegaugeError) || !LEAVES_TRACES.has(error.code)) throw error;
    const last = await bounded({}, LOOK_MS, (bounds) =>
      lastOf(helm, release, namespace, bounds),
    ).catch(() => undefined);
    const stands =
      last === undefined
        ? ''
        : `Release ${release} in ${namespace} is ${last.status} at revision ${last.revision}.`;
    const hint = [stands, error.hint ?? ''].filter((part) => part !== '').join(' ');
    throw new RegaugeError(error.code, error.message, {
      cause: error,
      ...(hint === '' ? {} : { hint }),
    });
  }
}
