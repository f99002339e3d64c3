/**
 * Canal's init container: the plugins, the plugin's kubeconfig, and the conf from the ConfigMap that its
 * environment names, filled in for the node (calico:cni-plugin/pkg/install/install.go@87c1590).
 */
import { CALICO_KUBECONFIG, CANAL_CONF, canalConf } from '../../../knowledge/canal.ts';
import { pluginBinary } from '../../node/plugin-binary.ts';
import type { ProcessHost } from '../../world.ts';
import { initStep } from '../app.ts';
import { pluginKubeconfig } from './plugin-account.ts';

/** What the image brings besides `install` (calico:cni-plugin/Makefile@87c1590). */
export const CANAL_PLUGINS = [
  'bandwidth',
  'calico',
  'flannel',
  'host-local',
  'loopback',
  'portmap',
  'tuning',
] as const;

const BINARIES = '/opt/cni/bin';
const CONFS = '/etc/cni/net.d';

export const installCanal = initStep((host) => {
  const { files, name } = host.node;
  const template = environmentOf(host, 'CNI_NETWORK_CONFIG');
  if (template === undefined) return 'CNI config is not valid JSON: unexpected end of JSON input';
  for (const plugin of CANAL_PLUGINS)
    files.write(`${BINARIES}/${plugin}`, pluginBinary(plugin), { mode: 0o755 });
  files.write(CALICO_KUBECONFIG, pluginKubeconfig(host), { mode: 0o600 });
  const conf = canalConf(template, name, environmentOf(host, 'CNI_MTU'));
  files.write(`${CONFS}/${environmentOf(host, 'CNI_CONF_NAME') ?? CANAL_CONF}`, conf);
  return undefined;
});

function environmentOf(
  { world, pod, container }: ProcessHost,
  variable: string,
): string | undefined {
  const entry = container.env?.find(({ name }) => name === variable);
  const reference = entry?.valueFrom?.configMapKeyRef;
  if (reference === undefined) return entry?.value;
  const map = world.store.get('ConfigMap', pod.metadata.namespace, reference.name ?? '');
  return map?.data?.[reference.key];
}
