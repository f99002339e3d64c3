/** Tunnel port, exclusive mode, host routing and policies: how the two networks live side by side. */
import { inRange, minorOf } from '../base/versions.ts';
import {
  ciliumMinor,
  hangsBesideIpvs,
  mtuFollowsLowestDevice,
  TUNNEL_PORTS,
} from '../knowledge/cilium-versions.ts';
import type { Finding } from '../model/finding.ts';
import { refusal } from './refusal.ts';
import { type ChartValues, isTruthy, valueAt } from '../knowledge/cilium-chart/values.ts';
import type { Intent } from './intent.ts';
import type { OldNetwork } from './distributions/old-network.ts';
import { enforcedPolicies } from './policies.ts';
import { decide, type Notes, type Situation } from './situation.ts';

export function tunnelPortFor(
  { oldPort }: Situation,
  values: ChartValues,
  notes: Notes,
): number | undefined {
  const wanted = Number(valueAt(values, 'tunnelPort') ?? 0);
  if (String(valueAt(values, 'routingMode') ?? 'tunnel') === 'native') {
    decide(
      notes,
      'routingMode',
      'tunnel',
      'during the migration both overlays need their own way between nodes; native routing afterwards is a change of its own, since nodes of both kinds do not reach each other',
    );
  }
  const geneve = valueAt(values, 'tunnelProtocol') === 'geneve';
  const effective = wanted === 0 ? TUNNEL_PORTS[geneve ? 'geneve' : 'vxlan'] : wanted;
  const taken = oldPort === undefined ? [8472, 4789] : [oldPort];
  if (!taken.includes(effective)) {
    if (wanted !== 0 && oldPort !== 8472 && oldPort !== undefined) {
      decide(
        notes,
        'tunnelPort',
        String(wanted),
        `kept as given; it was not needed, since Flannel is on ${oldPort} here and Cilium's default 8472 is free. Changing it later would split the nodes`,
      );
    }
    return wanted === 0 ? undefined : wanted;
  }
  decide(
    notes,
    'tunnelPort',
    '8473',
    oldPort === undefined
      ? 'which port Flannel uses is not known, and no usual Flannel uses this one'
      : `Flannel's VXLAN device holds ${oldPort}, and a port has one device (FM-27). It stays for good: changing it later splits the nodes`,
  );
  return 8473;
}

const CHAINED = /^(istio-cni|linkerd-cni|kube-multus|multus)/;

export function exclusiveFor({ facts }: Situation, values: ChartValues, notes: Notes): boolean {
  const chained = facts.workloads.daemonSets.find(({ value }) => CHAINED.test(value.metadata.name));
  if (chained !== undefined) {
    decide(
      notes,
      'cni.exclusive',
      'false',
      `${chained.value.metadata.name} has its own conf in the directory, which exclusive mode would rename away (FM-45, FM-47); 05-cilium.conflist sorts first without it`,
    );
    return false;
  }
  if (valueAt(values, 'cni.exclusive') === false) {
    decide(
      notes,
      'cni.exclusive',
      'true',
      'nothing else has a conf of its own here, and exclusive mode also puts the file back when somebody removes it',
    );
  }
  return true;
}

export function legacyRoutingFor(
  { forwardsDnsToHost }: Situation,
  values: ChartValues,
  notes: Notes,
): boolean {
  const wanted = valueAt(values, 'bpf.hostLegacyRouting') === true;
  if (forwardsDnsToHost && !wanted) {
    decide(
      notes,
      'bpf.hostLegacyRouting',
      'true',
      'Talos forwards kube DNS to the host, which BPF host routing does not reach (FM-11)',
    );
  }
  return wanted || forwardsDnsToHost;
}

/** What nobody can spare: to Cilium, pods of the old network have no labels (k8s-install-migration.rst). */
function decideWindow(count: number, { title }: OldNetwork, notes: Notes): void {
  decide(
    notes,
    'policies meanwhile',
    'not enforced for pods that have moved',
    `${count === 1 ? 'a policy is' : `${count} policies are`} enforced beside ${title} today. From its restart on a moved pod accepts and sends everything until the release enforces them again: Cilium would drop what comes from pods it does not know. Pods that have not moved let the addresses of nodes in for that time, since moved pods come with them. Agree on the window with whoever relies on the isolation (FM-15)`,
  );
}

export function policiesFor(
  { facts, adapter }: Situation,
  intent: Intent,
  notes: Notes,
): 'audit' | 'as-values' | 'never' {
  const enforced = enforcedPolicies(facts);
  if (enforced.length > 0) decideWindow(enforced.length, adapter.oldNetwork, notes);
  if (intent.policies === 'never') return 'never';
  if (intent.policies === 'enforce') return 'as-values';
  if (enforced.length > 0 && adapter.oldNetwork.cni === 'canal') {
    decide(
      notes,
      'policies',
      'audited first',
      'Calico and Cilium read some policies differently: an ipBlock with addresses of pods or nodes, for one. While policyAuditMode is on, Hubble shows what they would drop, and they are enforced when that is nothing, or meant (FM-14)',
    );
    return 'audit';
  }
  const dormant =
    facts.workloads.policies.length > 0 &&
    !(
      facts.flannel.known &&
      facts.flannel.value.enforcesPolicies.known &&
      facts.flannel.value.enforcesPolicies.value
    );
  if (!dormant && intent.policies !== 'audit') return 'as-values';
  decide(
    notes,
    'policies',
    'audited first',
    `${facts.workloads.policies.length} policies were never enforced here; while policyAuditMode is on, Hubble shows what they would drop, and they are enforced when that is nothing, or meant (FM-14)`,
  );
  return 'audit';
}

export function noteVersions(
  { kubernetesVersion, facts, distribution }: Situation,
  version: string,
  values: ChartValues,
  notes: Notes,
): void {
  const known = ciliumMinor(version);
  if (known !== undefined && !known.supported) {
    decide(
      notes,
      'Cilium version',
      version,
      `as asked for; ${known.minor} gets no fixes any more, so plan its upgrade as the next change`,
    );
  }
  const [first, last] = known?.kubernetesTested ?? [];
  if (
    first !== undefined &&
    last !== undefined &&
    !inRange(minorOf(kubernetesVersion), `${first} - ${last}`)
  ) {
    decide(
      notes,
      'Kubernetes version',
      'kept',
      `Cilium ${version} is tested with Kubernetes ${first} to ${last}, and this is ${kubernetesVersion}`,
    );
  }
  const namesDevices = isTruthy(valueAt(values, 'devices')) || isTruthy(valueAt(values, 'MTU'));
  if (mtuFollowsLowestDevice(version) && !namesDevices) {
    decide(
      notes,
      'devices and MTU',
      'left to detection',
      `from 1.17 the pod MTU follows the lowest device, and flannel.1 counts as one until it is gone: pods started meanwhile have 50 bytes less. Set devices to the names of the NICs to avoid it (${distribution === 'talos' ? 'talosctl get links' : 'ip link'})`,
    );
  }
  const mode =
    facts.kubeProxy.known && facts.kubeProxy.value.mode.known
      ? facts.kubeProxy.value.mode.value
      : undefined;
  if (mode === 'ipvs' && hangsBesideIpvs(version)) notes.refusals.push(ipvsRefusal(version));
}

function ipvsRefusal(version: string): Finding {
  return refusal({
    id: 'agent-hangs-beside-ipvs',
    covers: ['FM-24'],
    title: `Cilium ${version} hangs beside kube-proxy in IPVS mode`,
    message:
      'Its agents stay in their config container, since they cannot reach the API through an IPVS Service address.',
    fix: 'Take 1.19.2 or later, or set kube-proxy to iptables or nftables first.',
    references: ['cilium#44464'],
  });
}
