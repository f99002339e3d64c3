/**
 * Flannel's init container: copies the conf from ConfigMap `kube-flannel-cfg` to the conf directory,
 * on every start of its pod (cilium-and-flannel.md 13). Upstream's other one copies the plugin binary.
 */
import type { ProcessHost } from '../../world.ts';
import { initStep } from '../app.ts';

export const FLANNEL_CONFIG_MAP = 'kube-flannel-cfg';
const DEFAULT_TARGET = '/etc/cni/net.d/10-flannel.conflist';
const PLUGIN = '/opt/cni/bin/flannel';

export const installConfig = initStep((host) => {
  const { world, pod, container, node } = host;
  const config = world.store.get('ConfigMap', pod.metadata.namespace, FLANNEL_CONFIG_MAP);
  const content = config?.data?.['cni-conf.json'];
  if (content === undefined)
    return `cp: can't stat '/etc/kube-flannel/cni-conf.json': No such file or directory`;
  const words = [...(container.command ?? []), ...(container.args ?? [])];
  const target = words.at(-1);
  node.files.write(target?.startsWith('/etc/cni/') === true ? target : DEFAULT_TARGET, content);
  return undefined;
});

export const installPlugin = initStep((host: ProcessHost) => {
  host.node.files.write(PLUGIN, 'flannel', { mode: 0o755 });
  return undefined;
});
