/**
 * Confs that well-known software writes under well-known names, for listings that show names only
 * (knowledge: talos-and-cni-selection.md 3.5, 4.4).
 */
import { CALICO_KUBECONFIG, CANAL_CONF, CANAL_NETWORK } from '../../knowledge/canal.ts';
import { isConfFile } from '../../knowledge/cni-selection.ts';

export interface StockConf {
  readonly writer: string;
  readonly text: string;
}

const FLANNEL = JSON.stringify({
  name: 'cbr0',
  cniVersion: '1.0.0',
  plugins: [
    { type: 'flannel', delegate: { hairpinMode: true, isDefaultGateway: true } },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
});

const CILIUM = JSON.stringify({
  cniVersion: '0.3.1',
  name: 'cilium',
  plugins: [
    { type: 'cilium-cni', 'enable-debug': false, 'log-file': '/var/run/cilium/cilium-cni.log' },
  ],
});

const CANAL = JSON.stringify({
  name: CANAL_NETWORK,
  cniVersion: '0.3.1',
  plugins: [
    {
      type: 'calico',
      datastore_type: 'kubernetes',
      ipam: { type: 'host-local', ranges: [[{ subnet: 'usePodCidr' }]] },
      policy: { type: 'k8s' },
      kubernetes: { kubeconfig: CALICO_KUBECONFIG },
    },
    { type: 'portmap', snat: true, capabilities: { portMappings: true } },
  ],
});

/** The conf that a file of this name holds when its usual writer wrote it. */
export function stockConf(name: string): StockConf | undefined {
  if (!isConfFile(name) || !name.endsWith('.conflist')) return undefined;
  if (/^\d+-flannel\.conflist$/.test(name)) return { writer: 'Flannel', text: FLANNEL };
  if (name === CANAL_CONF) return { writer: 'Canal', text: CANAL };
  if (/^\d+-cilium\.conflist$/.test(name)) return { writer: 'the Cilium agent', text: CILIUM };
  return undefined;
}
