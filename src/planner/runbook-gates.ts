/** The gates of a step as a person checks them. */
import { unreachable } from '../base/assert.ts';
import type { Gate, Plan } from '../model/plan.ts';
import { OWNER_TITLES } from './runbook-rules.ts';
import type { Places } from './runbook-places.ts';

export function gateText({ platform, from }: Plan, gate: Gate, places: Places): string {
  switch (gate.kind) {
    case 'nodes-ready':
      return `${gate.nodes.length === 0 ? 'every node' : nodesText(gate.nodes)} Ready (\`kubectl get nodes\`)`;
    case 'agents-ready':
      return `the Cilium agent of ${nodesText(gate.nodes)} ready (\`kubectl -n ${platform.release.namespace} get pods -l k8s-app=cilium -o wide\`)`;
    case 'conf-selected':
      return `the first conf of ${gate.node} is ${gate.network === 'flannel' ? from.cni : gate.network}’s (\`${listing(places, gate.node, gate.directories?.conf ?? platform.cniConfDirectory)}\`)`;
    case 'etcd-quorum':
      return `etcd keeps its quorum without ${gate.node} (${places.onTalos ? `\`talosctl -n ${places.addressOf(gate.node)} etcd members\`, and \`etcd status\` on each` : '`kubectl describe nodes -l node-role.kubernetes.io/etcd`: the others Ready, and EtcdIsVoter True'})`;
    case 'workloads-ready':
      return 'all workloads ready that were ready before (`kubectl get deploy,sts,ds -A`)';
    case 'dns-answers':
      return 'names resolve, cluster and outside, from a pod of each network';
    case 'paths-clear':
      return 'no path loses packets that did not before: pod to pod, Service and host, within and across the two networks';
    case 'volumes-healthy':
      return 'volumes attached (`kubectl get volumeattachments`) and, with Longhorn, healthy (`kubectl -n longhorn-system get volumes.longhorn.io`)';
    case 'no-old-pods':
      return `no pod on ${nodesText(gate.nodes, 'any of the')} has an address of ${from.podCidrs.join(', ')} (\`kubectl get pods -A -o wide\`)`;
    case 'node-addresses-unchanged':
      return 'every node has the InternalIP it had (`kubectl get nodes -o wide`)';
    case 'rules-gone':
      return `no rules of ${gate.owners.map((owner) => OWNER_TITLES[owner]).join(' or ')} in the packet filters of ${nodesText(gate.nodes)} (\`iptables-legacy-save\`, \`iptables-nft-save\`, and both for IPv6)`;
    case 'configuration-kept':
      return `the ConfigMap ${gate.namespace}/cilium-config is as the release wrote it (\`helm -n ${gate.namespace} get manifest ${gate.release} | kubectl diff -f -\`)`;
    case 'webhooks-reachable':
      return 'every webhook that may refuse has a ready pod behind it (`kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations`)';
    case 'canaries-meet':
      return gate.alone
        ? `a pod on ${gate.node} with an address of Cilium resolves names and reaches a Service and the outside`
        : `canary pods, one on ${gate.node} with an address of Cilium and one on a node that has not moved, reach each other both ways; the first resolves names and reaches a Service and the outside`;
    case 'sandboxes-made':
      return 'no pod waits for a sandbox that did not before (`kubectl get events -A --field-selector reason=FailedCreatePodSandBox`)';
    case 'tokens-accepted':
      return 'no event of the last minute says Unauthorized that did not before (`kubectl get events -A --field-selector type=Warning | grep Unauthorized`), and the API server counts no more of them than before (`kubectl get --raw /metrics | grep ^authentication_attempts`, twice, a minute apart)';
    case 'owners-suspended':
      return `${gate.owners.map(({ kind, namespace = '', name }) => `${kind} ${namespace}/${name}`).join(', ')} suspended still`;
    default:
      return unreachable(gate);
  }
}

function listing({ onTalos, addressOf }: Places, node: string, directory: string): string {
  return onTalos
    ? `talosctl -n ${addressOf(node)} ls ${directory}`
    : `ssh ${addressOf(node)} ls ${directory}`;
}

function nodesText(nodes: readonly string[], many = 'all'): string {
  return nodes.length <= 3 ? nodes.join(', ') : `${many} ${nodes.length} nodes`;
}
