/** What the network that is left is called, and what it leaves on nodes and in their annotations. */
import type { RulesOwner } from '../../model/plan.ts';
import { CALICO_KUBECONFIG, CANAL_CONF, CANAL_NETWORK } from '../../knowledge/canal.ts';

export interface OldNetwork {
  readonly cni: 'flannel' | 'canal';
  /** In sentences. */
  readonly title: string;
  /** Base name of its conf. */
  readonly conf: string;
  /** Files besides the conf; plugin binaries that others share stay. */
  readonly state: readonly string[];
  readonly annotations: RegExp;
  /** Who of it writes rules into packet filters, and leaves them. */
  readonly rules: readonly RulesOwner[];
}

/** knowledge cilium-and-flannel.md section 14. */
export const FLANNEL: OldNetwork = {
  cni: 'flannel',
  title: 'Flannel',
  conf: '10-flannel.conflist',
  state: ['/run/flannel/subnet.env', '/var/lib/cni/networks/cbr0/*', '/var/lib/cni/flannel/*'],
  annotations: /^flannel\.alpha\.coreos\.com\//,
  rules: ['flannel'],
};

/** rke2-charts:packages/rke2-canal/charts/templates/daemonset.yaml@262e21a, by its host paths. */
export const CANAL: OldNetwork = {
  cni: 'canal',
  title: 'Canal',
  conf: CANAL_CONF,
  state: [
    '/run/flannel/subnet.env',
    `/var/lib/cni/networks/${CANAL_NETWORK}/*`,
    CALICO_KUBECONFIG,
    '/var/lib/calico/*',
  ],
  annotations: /^(flannel\.alpha\.coreos\.com|projectcalico\.org)\//,
  rules: ['flannel', 'calico'],
};
