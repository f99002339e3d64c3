/**
 * What a distribution installs: the read-only root of an image, shared by all nodes that run it.
 */
import { type DirectoryInode, file, directory, makePath } from './inode.ts';
import {
  type Distribution,
  TALOS_BUNDLED_PLUGINS,
  bundlesPlugins,
  mountsOf,
} from './mount-tables.ts';
import { pluginBinary } from './plugin-binary.ts';

export interface ImageOptions {
  readonly distribution: Distribution;
  /** The distribution's own version, e.g. Talos `1.10.2`. */
  readonly version: string;
  /** Of the image's flannel plugin, e.g. `1.5.1-flannel3`. */
  readonly flannelPlugin?: string;
  /** Of the image's reference plugins, e.g. `1.6.2`. */
  readonly cniPlugins?: string;
}

const images = new Map<string, DirectoryInode>();

export function imageOf(options: ImageOptions): DirectoryInode {
  const { distribution, version, flannelPlugin = '', cniPlugins = '' } = options;
  const bundled = bundlesPlugins(distribution, version);
  const mounts = mountsOf(distribution, version).map(({ path }) => path);
  const key = [distribution === 'talos', bundled, flannelPlugin, cniPlugins, ...mounts].join(' ');
  const known = images.get(key);
  if (known !== undefined) return known;
  const root = directory();
  makePath(root, '/dev').entries.set('null', file('', 0o666));
  for (const path of mounts) makePath(root, path);
  if (distribution === 'talos') makePath(root, '/etc/cni/net.d', 0o755);
  if (bundled) {
    const plugins = makePath(root, '/opt/cni/bin');
    for (const name of TALOS_BUNDLED_PLUGINS) {
      const content = pluginBinary(name, name === 'flannel' ? flannelPlugin : cniPlugins);
      plugins.entries.set(name, file(content, 0o755));
    }
  }
  images.set(key, root);
  return root;
}
