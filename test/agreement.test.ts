/**
 * Goal: what `check` foretells is what the twin shows. For each hazard, files that have it and files
 * with its finding's fix: the finding is there exactly where going through with the files makes the
 * hazard's sign occur. Where the two disagree, one of them is wrong.
 */
import { describe, expect, it } from 'vitest';
import type { RunbookStep } from '../src/model/runbook.ts';
import { agreementOn, type Files } from './support/agreement.ts';

interface Case {
  readonly hazard: string;
  readonly with: Files;
  /** The same, with the finding's fix. */
  readonly without: Files;
  /** Users feel it within the steps: the chain of a failure leads through the sign. */
  readonly hurts?: true;
}

function wait(seconds: number): RunbookStep {
  return { wait: { seconds } };
}

function drain(node: string, timeoutSeconds = 60): RunbookStep {
  return {
    kubectl: {
      action: 'drain',
      node,
      ignoreDaemonsets: true,
      deleteEmptydirData: true,
      timeoutSeconds,
    },
  };
}

const RESTART_DNS: RunbookStep = {
  kubectl: {
    action: 'rollout-restart',
    kind: 'Deployment',
    namespace: 'kube-system',
    name: 'coredns',
  },
};

function patchAll(patch: string): RunbookStep {
  return { talos: { action: 'patch', nodes: ['all'], patch } };
}

const WRONG_KEY = 'cluster:\n  network:\n    forwardKubeDNSToHost: false\n';
const RIGHT_KEY = 'machine:\n  features:\n    hostDNS:\n      forwardKubeDNSToHost: false\n';

const OWN_CONF = {
  write: '/etc/cni/net.d/05-cilium.conflist',
  content: '{"cniVersion":"0.3.1","name":"cilium","plugins":[{"type":"cilium-cni"}]}',
};
const NO_CNI = 'cluster:\n  network:\n    cni:\n      name: none\n';
const ACCOUNT = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'cilium', namespace: 'kube-system' },
};

const LAN = [
  { name: 'cp-1', address: '192.168.7.11', role: 'control-plane' as const },
  { name: 'w-1', address: '192.168.7.21', role: 'worker' as const },
  { name: 'w-2', address: '192.168.7.22', role: 'worker' as const },
];

const PROXYLESS = { proxyDisabled: true };
const GUARDED = {
  kind: 'Deployment' as const,
  namespace: 'shop',
  name: 'web',
  image: 'nginx',
  on: ['w-1'],
  budget: { minAvailable: 1 },
};

const PINNED = {
  kind: 'Deployment' as const,
  namespace: 'shop',
  name: 'web',
  image: 'nginx',
  nodeSelector: { 'kubernetes.io/hostname': 'w-1' },
};
const RESTART_WEB: RunbookStep = {
  kubectl: { action: 'rollout-restart', kind: 'Deployment', namespace: 'shop', name: 'web' },
};
/** The prober's own pods are the first to move; everybody else, DNS too, is still on Flannel. */
const MOVE_PROBES: RunbookStep = {
  kubectl: {
    action: 'delete',
    kind: 'Pod',
    namespace: 'regauge-system',
    selector: 'app=regauge-probe',
  },
};
const REBOOT: RunbookStep = { talos: { action: 'reboot', nodes: ['w-1'], wait: true } };

const CASES: readonly Case[] = [
  {
    hazard: 'custom-conf-without-path',
    with: { values: { cni: { customConf: true, exclusive: true } }, steps: [wait(120)] },
    without: { values: { cni: { customConf: false, exclusive: true } }, steps: [wait(120)] },
  },
  {
    hazard: 'kube-proxy-replacement-spelling',
    with: { values: { kubeProxyReplacement: 'strict' } },
    without: { values: { kubeProxyReplacement: true } },
  },
  {
    hazard: 'capabilities-not-a-list',
    with: { values: { securityContext: { capabilities: { ciliumAgent: '{NET_ADMIN}' } } } },
    without: { values: { securityContext: { capabilities: { ciliumAgent: ['NET_ADMIN'] } } } },
  },
  {
    hazard: 'chart-value-removed',
    with: { values: { tunnel: 'vxlan' } },
    without: { values: { routingMode: 'tunnel', tunnelProtocol: 'vxlan' } },
  },
  {
    hazard: 'chart-refuses-values',
    with: { values: { MTU: 'large' } },
    without: { values: { MTU: 1400 } },
  },
  {
    hazard: 'bpf-masquerade-without-node-port',
    hurts: true,
    with: { values: { bpf: { masquerade: true } }, steps: [wait(120)] },
    without: { values: { bpf: { masquerade: false } }, steps: [wait(120)] },
  },
  {
    hazard: 'direct-routes-with-tunnel',
    hurts: true,
    with: { values: { autoDirectNodeRoutes: true }, steps: [wait(120)] },
    without: { values: { autoDirectNodeRoutes: false }, steps: [wait(120)] },
  },
  {
    hazard: 'vxlan-port',
    hurts: true,
    with: { values: { tunnelPort: 4789 }, steps: [wait(120)] },
    without: { values: { tunnelPort: 8472 }, steps: [wait(120)] },
  },
  {
    hazard: 'replacement-before-migration',
    hurts: true,
    with: { values: { kubeProxyReplacement: true }, steps: [wait(120)] },
    without: { steps: [wait(120)] },
  },
  {
    hazard: 'api-server-address-missing',
    hurts: true,
    with: {
      cluster: { machine: PROXYLESS },
      values: { kubeProxyReplacement: true, k8sServiceHost: null, k8sServicePort: null },
      steps: [wait(180)],
    },
    without: {
      cluster: { machine: PROXYLESS },
      values: { kubeProxyReplacement: true },
      steps: [wait(180)],
    },
  },
  {
    hazard: 'kube-prism-mismatch',
    hurts: true,
    with: { cluster: { machine: { kubePrism: false } }, steps: [wait(180)] },
    without: { cluster: { machine: { kubePrism: true } }, steps: [wait(180)] },
  },
  {
    hazard: 'host-dns-behind-host-routing',
    hurts: true,
    with: {
      cluster: { machine: { forwardKubeDnsToHost: true } },
      values: { kubeProxyReplacement: true, bpf: { masquerade: true, hostLegacyRouting: false } },
      steps: [wait(120), RESTART_DNS, wait(120)],
    },
    without: {
      cluster: { machine: { forwardKubeDnsToHost: true } },
      values: { kubeProxyReplacement: true, bpf: { masquerade: true, hostLegacyRouting: true } },
      steps: [wait(120), RESTART_DNS, wait(120)],
    },
  },
  {
    hazard: 'host-routing-between-overlays',
    hurts: true,
    with: {
      values: { kubeProxyReplacement: true, bpf: { masquerade: true, hostLegacyRouting: false } },
      steps: [wait(120), MOVE_PROBES, wait(120)],
    },
    without: {
      values: { kubeProxyReplacement: true, bpf: { masquerade: true, hostLegacyRouting: true } },
      steps: [wait(120), MOVE_PROBES, wait(120)],
    },
  },
  {
    hazard: 'service-account-recreated',
    hurts: true,
    with: {
      steps: [
        wait(60),
        {
          kubectl: {
            action: 'delete',
            kind: 'ServiceAccount',
            namespace: 'kube-system',
            name: 'cilium',
          },
        },
        { kubectl: { action: 'apply', objects: [ACCOUNT] } },
        wait(300),
      ],
    },
    without: {
      steps: [wait(60), { kubectl: { action: 'apply', objects: [ACCOUNT] } }, wait(300)],
    },
  },
  {
    hazard: 'upgrade-k8s-prunes',
    hurts: true,
    with: {
      cluster: { versions: { talos: '1.13.4', kubernetes: '1.36.0' } },
      patch: NO_CNI,
      steps: [patchAll(NO_CNI), { talos: { action: 'upgrade-k8s' } }, REBOOT, wait(60)],
    },
    without: {
      cluster: { versions: { talos: '1.10.2', kubernetes: '1.33.1' } },
      patch: NO_CNI,
      steps: [patchAll(NO_CNI), { talos: { action: 'upgrade-k8s' } }, REBOOT, wait(60)],
    },
  },
  {
    hazard: 'pool-outside-pod-subnets',
    hurts: true,
    with: { cluster: { nodes: LAN }, steps: [wait(180)] },
    without: {
      cluster: { nodes: LAN, machine: { nodeIpValidSubnets: ['192.168.7.0/24'] } },
      steps: [wait(180)],
    },
  },
  {
    hazard: 'unmanaged-pod-restart',
    hurts: true,
    with: { values: { operator: { unmanagedPodWatcher: { restart: true } } }, steps: [wait(120)] },
    without: { steps: [wait(120)] },
  },
  {
    hazard: 'unknown-talos-key',
    with: { cilium: false, patch: WRONG_KEY, steps: [patchAll(WRONG_KEY)] },
    without: { cilium: false, patch: RIGHT_KEY, steps: [patchAll(RIGHT_KEY)] },
  },
  {
    hazard: 'budget-deadlock',
    with: { cluster: { workloads: [GUARDED] }, steps: [drain('w-1')] },
    without: { cluster: { workloads: [{ ...GUARDED, replicas: 2 }] }, steps: [drain('w-1')] },
  },
  {
    hazard: 'etcd-no-spare-voter',
    hurts: true,
    with: { cilium: false, steps: [{ talos: { action: 'reboot', nodes: ['cp-1'], wait: true } }] },
    without: {
      cilium: false,
      cluster: { nodes: { prefix: 'n', controlPlanes: 3, workers: 1, firstAddress: '10.0.1.11' } },
      steps: [{ talos: { action: 'reboot', nodes: ['n-cp-01'], wait: true } }],
    },
  },
  {
    hazard: 'old-cni-removed-early',
    hurts: true,
    with: {
      steps: [
        {
          kubectl: {
            action: 'delete',
            kind: 'DaemonSet',
            namespace: 'kube-system',
            name: 'kube-flannel',
          },
        },
        drain('w-1'),
      ],
    },
    without: { steps: [drain('w-1')] },
  },
  {
    hazard: 'os-upgrade-mixed-in',
    hurts: true,
    with: {
      steps: [
        {
          talos: {
            action: 'upgrade',
            nodes: ['w-1'],
            image: 'ghcr.io/siderolabs/installer:v1.10.5',
          },
        },
      ],
    },
    without: { steps: [{ talos: { action: 'reboot', nodes: ['w-1'] } }] },
  },
  {
    hazard: 'conf-directory-removed',
    hurts: true,
    with: {
      cluster: { workloads: [PINNED] },
      steps: [
        wait(60),
        { files: { nodes: ['w-1'], changes: [{ remove: '/etc/cni/net.d' }] } },
        { files: { nodes: ['w-1'], changes: [OWN_CONF] } },
        RESTART_WEB,
        wait(120),
      ],
    },
    without: {
      cluster: { workloads: [PINNED] },
      steps: [
        wait(60),
        { files: { nodes: ['w-1'], changes: [{ remove: OWN_CONF.write }, OWN_CONF] } },
        RESTART_WEB,
        wait(120),
      ],
    },
  },
];

describe.each(CASES)('$hazard', ({ hazard, with: bad, without: good, hurts = false }) => {
  it('is foretold, and strikes when the files are used', async () => {
    const { foretold, struck, blamed } = await agreementOn(hazard, bad);
    expect({ foretold, struck, blamed }).toEqual({ foretold: true, struck: true, blamed: hurts });
  });

  it('is neither foretold nor strikes with the fix', async () => {
    const { foretold, struck, blamed } = await agreementOn(hazard, good);
    expect({ foretold, struck, blamed }).toEqual({ foretold: false, struck: false, blamed: false });
  });
});
