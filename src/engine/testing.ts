/** For tests only: a plan around a few steps. */
import type { Action, Gate, Plan, Step } from '../model/plan.ts';

export function planOf(steps: readonly Step[], more: Partial<Plan> = {}): Plan {
  return {
    apiVersion: 'regauge.dev/v1',
    kind: 'Plan',
    id: 'plan-test',
    hash: 'sha256:test',
    cluster: { uid: 'uid', name: 'test' },
    fingerprint: {},
    strategy: 'evict-in-place',
    from: { cni: 'flannel', podCidrs: ['10.244.0.0/16'] },
    to: {
      cni: 'cilium',
      version: '1.18.3',
      podCidrs: ['10.245.0.0/16'],
      kubeProxyReplacement: false,
    },
    steps,
    waves: [],
    guards: [],
    decisions: [],
    platform: {
      distribution: 'talos',
      distributionVersion: '1.10.2',
      kubernetesVersion: '1.32.3',
      cniConfDirectory: '/etc/cni/net.d',
      cniBinDirectory: '/opt/cni/bin',
      confDirectoryVolatile: false,
      release: { name: 'cilium', namespace: 'kube-system' },
    },
    unreadyBefore: [],
    ...more,
  };
}

export interface StepLiteral {
  readonly after?: readonly string[];
  readonly gates?: readonly Gate[];
  readonly undo?: Action;
  readonly timeoutSeconds?: number;
}

export function stepOf(id: string, action: Action, literal: StepLiteral = {}): Step {
  return {
    id,
    kind: action.kind,
    phase: 'move-nodes',
    title: id,
    nodes: [],
    action,
    dependsOn: literal.after ?? [],
    gates: literal.gates ?? [],
    blastRadius: { scope: 'none', worst: '' },
    pointOfNoReturn: false,
    timeoutSeconds: literal.timeoutSeconds ?? 300,
    undo: literal.undo ?? null,
    because: 'a test',
  };
}

/** What moving a node takes, as the planner writes it. */
export function moveSteps(
  node: string,
  after: readonly string[] = [],
  strategy: Plan['strategy'] = 'evict-in-place',
): readonly Step[] {
  const label = 'io.cilium.migration/cilium-default';
  return [
    stepOf(`${node}/hold`, { kind: 'cordon', nodes: [node], exceptLabel: label }, { after }),
    stepOf(
      `${node}/label`,
      { kind: 'label-node', node, labels: { [label]: 'true' } },
      {
        after: [`${node}/hold`],
        undo: {
          kind: 'return-node',
          node,
          strategy: 'evict-in-place',
          label,
          oldConf: '10-flannel.conflist',
        },
      },
    ),
    stepOf(`${node}/agent`, { kind: 'restart-agent', node }, { after: [`${node}/label`] }),
    stepOf(
      `${node}/open`,
      { kind: 'uncordon', nodes: [node] },
      {
        after: [`${node}/agent`],
        gates: [{ kind: 'conf-selected', node, network: 'cilium' }],
      },
    ),
    stepOf(
      `${node}/pods`,
      { kind: 'restart-pods', node, strategy, drainTimeoutSeconds: 120 },
      {
        after: [`${node}/open`],
        timeoutSeconds: 300,
      },
    ),
    stepOf(
      `${node}/verify`,
      { kind: 'verify', scope: 'node', nodes: [node] },
      {
        after: [`${node}/pods`],
        gates: [{ kind: 'no-old-pods', nodes: [node] }, { kind: 'paths-clear' }],
      },
    ),
  ];
}
