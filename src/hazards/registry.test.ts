/** Goal: what hazards call their signs are kinds that the twin knows, each the sign of one hazard. */
import { expect, test } from 'vitest';
import { HAZARDS } from './registry.ts';

/** Kinds of occurrences that can show a hazard, `<actor>.<what>`; the twin's actors use these names. */
const KINDS = [
  'api.webhook-unreachable',
  'cilium-agent.api-lost',
  'cilium-agent.conf-management-disabled',
  'cilium-operator.pool-changed',
  'cilium-operator.unmanaged-pod-restarted',
  'cni.binary-missing',
  'cni.load-failed',
  'cni.no-conf',
  'cni.old-conf-selected',
  'dns.host-dns-unreachable',
  'dns.no-ready-server',
  'drain.budget-blocked',
  'etcd.quorum-lost',
  'flannel.daemonset-removed',
  'flannel.not-running',
  'gitops.reverted',
  'helm.render-failed',
  'host-local.lease-leaked',
  'kube-proxy.removed',
  'kubectl.object-deleted',
  'kubelet.token-mount-lost',
  'kubelet.token-stale',
  'longhorn.backend-unreachable',
  'longhorn.instance-manager-down',
  'machine.runtime-state-lost',
  'node.address-changed',
  'node.left-cordoned',
  'overlay.port-clash',
  'runtime.watch-dead',
  'talos.config-rejected',
  'talos.manifests-pruned',
  'talos.node-ip-changed',
  'talos.os-upgraded',
  'talos.runtime-state-lost',
  'token.service-account-deleted',
  'token.service-account-recreated',
  'webhook.unreachable',
];

const SIGNS = HAZARDS.flatMap(({ signs }) => signs.occurrences);

test('every sign is a kind of the table', () => {
  expect(SIGNS.filter((kind) => !KINDS.includes(kind))).toEqual([]);
});

test('a kind is the sign of one hazard, so that a cause has one name', () => {
  expect(SIGNS.filter((kind, index) => SIGNS.indexOf(kind) !== index)).toEqual([]);
});

test('kinds are named <actor>.<what> and listed once, in order', () => {
  expect(KINDS).toEqual([...new Set(KINDS)].toSorted());
  for (const kind of KINDS) expect(kind).toMatch(/^[a-z-]+\.[a-z-]+$/);
});
