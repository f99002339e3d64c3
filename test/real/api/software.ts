/** A real control plane and its clients, built from the modules that `go/*` pins. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cache } from '../cache.ts';
import { buildModule, SOURCES } from '../go-tool.ts';

export interface ControlPlaneSoftware {
  readonly etcd: string;
  readonly apiServer: string;
  readonly controllerManager: string;
  readonly scheduler: string;
  readonly kubectl: string;
  /** `v1.33.0`. */
  readonly version: string;
}

/** From nothing: five minutes on two cores. */
const BUILD_MS = 40 * 60_000;

export function obtainControlPlane(cache: Cache): ControlPlaneSoftware {
  const version = pinnedVersion('kubernetes', 'k8s.io/kubernetes');
  const etcd = cache.built('etcd', () => buildModule('etcd', ['tool'], cache.fresh));
  const kubernetes = cache.built('kubernetes', () =>
    buildModule('kubernetes', ['tool'], cache.fresh, {
      linker: versionFlags(version),
      timeoutMs: BUILD_MS,
    }),
  );
  return {
    // The last part of its import path that is no version.
    etcd: join(etcd, 'server'),
    apiServer: join(kubernetes, 'kube-apiserver'),
    controllerManager: join(kubernetes, 'kube-controller-manager'),
    scheduler: join(kubernetes, 'kube-scheduler'),
    kubectl: join(kubernetes, 'kubectl'),
    version,
  };
}

/** Without them the server says it is v0.0.0, and charts that ask for a version do not install. */
function versionFlags(version: string): string {
  const [major = '', minor = ''] = version.slice(1).split('.');
  const variables = {
    gitVersion: version,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
  };
  return Object.entries(variables)
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ');
}

/** What a module's go.mod requires of another. */
export function pinnedVersion(module: string, of: string): string {
  const text = readFileSync(join(SOURCES, module, 'go.mod'), 'utf8');
  const line = text.split('\n').find((one) =>
    one
      .trim()
      .replace(/^require /, '')
      .startsWith(`${of} v`),
  );
  const version = line === undefined ? undefined : /\sv\S+/.exec(line)?.[0].trim();
  if (version === undefined) throw new Error(`go/${module}/go.mod requires no ${of}`);
  return version;
}
