/**
 * Confs that well-known software writes under well-known names, for listings that show names only
 * (knowledge: talos-and-cni-selection.md 3.5, 4.4).
 */
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

/** The conf that a file of this name holds when its usual writer wrote it. */
export function stockConf(name: string): StockConf | undefined {
  if (!isConfFile(name) || !name.endsWith('.conflist')) return undefined;
  if (/^\d+-flannel\.conflist$/.test(name)) return { writer: 'Flannel', text: FLANNEL };
  if (/^\d+-cilium\.conflist$/.test(name)) return { writer: 'the Cilium agent', text: CILIUM };
  return undefined;
}
