/**
 * Canal: Flannel's overlay with Calico's plugin and policies, in one DaemonSet (upstream's canal.yaml, and
 * RKE2's chart: rke2-charts:packages/rke2-canal/charts/templates/{daemonset,config}.yaml@262e21a).
 */
export const CANAL_CONF = '10-canal.conflist';
/** In the conf, under which host-local keeps its leases. */
export const CANAL_NETWORK = 'k8s-pod-network';
/** Written by calico-node once it reached the API; its plugin does nothing without it (calico:cni-plugin/pkg/plugin/plugin.go@87c1590). */
export const CALICO_NODENAME = '/var/lib/calico/nodename';
/** Beside the conf; install-cni writes it, calico-node renews its token (calico:node/pkg/cni/token_watch.go@87c1590). */
export const CALICO_KUBECONFIG = '/etc/cni/net.d/calico-kubeconfig';
export const CANAL_CONFIG_MAP = /^(rke2-)?canal-config$/;

/** The key of the ConfigMap that holds the conf, with places to be filled in on each node. */
export const CANAL_CONF_KEY = 'cni_network_config';

/** The conf as install-cni writes it on a node (calico:cni-plugin/pkg/install/install.go@87c1590). */
export function canalConf(template: string, node: string, mtu: string | undefined): string {
  return template
    .replaceAll('__KUBERNETES_NODE_NAME__', node)
    .replaceAll('__KUBECONFIG_FILEPATH__', CALICO_KUBECONFIG)
    .replaceAll('__CNI_MTU__', mtu ?? '1500');
}
