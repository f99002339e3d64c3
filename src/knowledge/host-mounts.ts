/**
 * Which paths of its node a container sees, and where: the hostPath volumes of its pod. A deeper mount
 * point hides what is below it of another (KK pkg/volume, OCI runtime: mounts in order of their paths).
 */
import type { PodObject } from '../model/kubernetes.ts';

export interface HostMount {
  /** In the container. */
  readonly at: string;
  /** On the node; undefined for a volume that is none of the node's paths. */
  readonly host: string | undefined;
  readonly readOnly: boolean;
}

/** The deepest mount point first: it is the one that a path below it leads to. */
export function hostMounts({ spec }: PodObject, container: string): readonly HostMount[] {
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  const mounts = all.find(({ name }) => name === container)?.volumeMounts ?? [];
  return mounts
    .map(({ name, mountPath, subPath = '', subPathExpr, readOnly = false }): HostMount => {
      const path = spec.volumes?.find((volume) => volume.name === name)?.hostPath?.path;
      const isKnown = path !== undefined && subPathExpr === undefined;
      return {
        at: normalPath(mountPath),
        host: isKnown ? normalPath(`${path}/${subPath}`) : undefined,
        readOnly,
      };
    })
    .toSorted((one, other) => other.at.length - one.at.length);
}

/** The mount that a path of the container leads into, and the path on the node. */
export function onHost(
  mounts: readonly HostMount[],
  path: string,
): { readonly path: string; readonly readOnly: boolean } | undefined {
  const clean = normalPath(path);
  const mount = mounts.find(({ at }) => isBelow(clean, at));
  if (mount?.host === undefined) return undefined;
  return { path: moved(clean, mount.at, mount.host), readOnly: mount.readOnly };
}

/** Where the container sees a path of the node; undefined where no mount shows it. */
export function inContainer(mounts: readonly HostMount[], path: string): string | undefined {
  const clean = normalPath(path);
  for (const { at, host } of mounts) {
    if (host === undefined || !isBelow(clean, host)) continue;
    const seen = moved(clean, host, at);
    if (onHost(mounts, seen)?.path === clean) return seen;
  }
  return undefined;
}

/** Without doubled or last slashes, `.` and `..`. */
export function normalPath(path: string): string {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return `/${names.join('/')}`;
}

function isBelow(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`);
}

function moved(path: string, from: string, to: string): string {
  const rest = from === '/' ? path : path.slice(from.length);
  return normalPath(`${to}/${rest}`);
}
