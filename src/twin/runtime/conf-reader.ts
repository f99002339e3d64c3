/** The conf directory of a node as the loaders of `cni-selection.ts` want to see it. */
import { type ConfDirectory, compareConfNames } from '../../knowledge/cni-selection.ts';
import type { NodeFileSystem } from '../node/node-file-system.ts';

export function confDirectoryOf(files: NodeFileSystem, path: string): ConfDirectory {
  const entries = files.entries(path) ?? [];
  const hasDirectories = entries.some((entry) => entry.kind === 'directory');
  return {
    path,
    names: entries.filter((entry) => entry.kind !== 'directory').map((entry) => entry.name),
    read: (name) => files.readFile(`${path}/${name}`),
    ...(hasDirectories
      ? { pluginsOf: (network: string) => pluginsIn(files, `${path}/${network}`) }
      : {}),
  };
}

function pluginsIn(files: NodeFileSystem, path: string): readonly string[] {
  const names = (files.entries(path) ?? [])
    .filter((entry) => entry.kind !== 'directory' && entry.name.endsWith('.conf'))
    .map((entry) => entry.name)
    .sort(compareConfNames);
  return names.flatMap((name) => files.read(`${path}/${name}`) ?? []);
}
