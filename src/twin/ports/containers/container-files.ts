/**
 * What a container sees of its node: the paths that a hostPath volume mounts into it. What its image
 * holds is not modelled, so that there is nothing at any other path. A link leads where it would lead in
 * the container: an absolute one from the container's own root.
 */
import { hostMounts, normalPath, onHost } from '../../../knowledge/host-mounts.ts';
import type { PodObject } from '../../../model/kubernetes.ts';
import type { FileStat, TwinNode, World } from '../../world.ts';
import { hostChangesOf } from '../host-changes.ts';

export interface ContainerFiles {
  read(path: string): string | undefined;
  exists(path: string): boolean;
  /** Base names; undefined where there is no directory. */
  list(path: string): readonly string[] | undefined;
  /** Of the path itself: a link is a link. */
  stat(path: string): FileStat | undefined;
  /** Each a path of the container, in a directory that is there; false where the mount is read-only. */
  write(path: string, content: string): boolean;
  chmod(path: string, mode: number): boolean;
  mkdir(path: string): boolean;
  remove(path: string): boolean;
  rename(from: string, to: string): boolean;
}

const LINKS_MAX = 40;
/** The kernel's, of the network namespace the container is in. */
const LINKS_DIRECTORY = '/sys/class/net';

export function containerFiles(
  world: World,
  node: TwinNode,
  pod: PodObject,
  container: string,
): ContainerFiles {
  const mounts = hostMounts(pod, container);
  const { files } = node;
  const changes = hostChangesOf(world.kernel);
  const place = (path: string): string | undefined => onHost(mounts, path)?.path;
  const statAt = (path: string): FileStat | undefined => {
    const there = place(path);
    return there === undefined ? undefined : statOnNode(node, there);
  };
  /** The links of the path's directories followed, and with `last` its own. */
  const followed = (path: string, last: boolean): string => {
    let names = normalPath(path).slice(1).split('/');
    for (let index = 0, links = 0; index < names.length; index += 1) {
      if (index === names.length - 1 && !last) break;
      const at = `/${names.slice(0, index + 1).join('/')}`;
      const target = statAt(at)?.target;
      if (target === undefined) continue;
      links += 1;
      if (links > LINKS_MAX) break;
      const base = target.startsWith('/') ? '' : `/${names.slice(0, index).join('/')}`;
      const rest = names.slice(index + 1).join('/');
      names = normalPath(`${base}/${target}/${rest}`).slice(1).split('/');
      index = -1;
    }
    return `/${names.join('/')}`;
  };
  const on = <T>(path: string, last: boolean, look: (there: string) => T): T | undefined => {
    const there = place(followed(path, last));
    return there === undefined ? undefined : look(there);
  };
  const change = (path: string, last: boolean, act: (there: string) => void): boolean => {
    const found = onHost(mounts, followed(path, last));
    if (found === undefined || found.readOnly) return false;
    act(found.path);
    return true;
  };
  const linkNames = (path: string): readonly string[] | undefined =>
    normalPath(path) === LINKS_DIRECTORY && pod.spec.hostNetwork === true
      ? node.network.links()
      : undefined;
  return {
    read: (path) => on(path, true, (there) => files.read(there)),
    exists: (path) => on(path, true, (there) => files.exists(there)) ?? false,
    list: (path) => linkNames(path) ?? on(path, true, (there) => files.list(there)),
    stat: (path) => on(path, false, (there) => statOnNode(node, there)),
    write: (path, content) =>
      change(path, true, (there) =>
        changes.file(node.name, 'file-written', there, () => files.write(there, content)),
      ),
    chmod: (path, mode) => change(path, true, (there) => files.chmod?.(there, mode)),
    mkdir: (path) => change(path, true, (there) => files.mkdir?.(there)),
    remove: (path) =>
      change(path, false, (there) =>
        changes.file(node.name, 'file-removed', there, () => files.remove(there)),
      ),
    rename: (from, to) =>
      change(from, false, (source) =>
        change(to, false, (target) =>
          changes.file(node.name, 'file-renamed', source, () => files.rename(source, target)),
        ),
      ),
  };
}

function statOnNode({ files }: TwinNode, path: string): FileStat | undefined {
  if (files.stat !== undefined) return files.stat(path);
  if (files.list(path) !== undefined) return { kind: 'directory', mode: 0o755, size: 0 };
  const content = files.read(path);
  return content === undefined ? undefined : { kind: 'file', mode: 0o644, size: content.length };
}
