/**
 * What a container sees of its node: the paths that a hostPath volume mounts into it. What its image
 * holds is not modelled, so that there is nothing at any other path.
 */
import type { PodObject } from '../../model/kubernetes.ts';
import type { NodeFiles } from '../world.ts';

export interface ContainerFiles {
  read(path: string): string | undefined;
  exists(path: string): boolean;
  /** Base names; undefined where there is no directory. */
  list(path: string): readonly string[] | undefined;
}

export function containerFiles(
  pod: PodObject,
  container: string,
  files: NodeFiles,
): ContainerFiles {
  const mounts = hostMounts(pod, container);
  const onHost = (path: string): string | undefined => {
    const clean = normalised(path);
    const mount = mounts.find(({ at }) => at === '/' || clean === at || clean.startsWith(`${at}/`));
    if (mount === undefined) return undefined;
    const below = mount.at === '/' ? clean : clean.slice(mount.at.length);
    return normalised(`${mount.host}/${below}`);
  };
  const on = <T>(path: string, look: (place: string) => T): T | undefined => {
    const place = onHost(path);
    return place === undefined ? undefined : look(place);
  };
  return {
    read: (path) => on(path, (place) => files.read(place)),
    exists: (path) => on(path, (place) => files.exists(place)) ?? false,
    list: (path) => on(path, (place) => files.list(place)),
  };
}

interface HostMount {
  readonly at: string;
  readonly host: string;
}

/** The deepest mount point first: it is the one that a path below it leads to. */
function hostMounts({ spec }: PodObject, container: string): readonly HostMount[] {
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  const mounts = all.find(({ name }) => name === container)?.volumeMounts ?? [];
  return mounts
    .flatMap(({ name, mountPath }) => {
      const path = spec.volumes?.find((volume) => volume.name === name)?.hostPath?.path;
      return path === undefined ? [] : [{ at: normalised(mountPath), host: normalised(path) }];
    })
    .toSorted((one, other) => other.at.length - one.at.length);
}

/** Without doubled or last slashes, `.` and `..`. */
function normalised(path: string): string {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return `/${names.join('/')}`;
}
