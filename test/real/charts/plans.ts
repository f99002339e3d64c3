/** Values that regauge plans, phase by phase, for clusters and targets of several kinds: all render. */
import { readFileSync } from 'node:fs';
import type { FactsLiteral } from '../../../src/hazards/testing.ts';
import { planned, VALUES } from '../../../src/planner/testing.ts';
import type { ValueCase } from './cases.ts';

function fixture(path: string): string {
  return readFileSync(new URL(`../../fixtures/${path}`, import.meta.url), 'utf8');
}

const KUBEADM: Partial<FactsLiteral> = {
  cluster: {
    distribution: 'kubeadm',
    kubernetesVersion: '1.31.2',
    podCidrs: ['10.244.0.0/16'],
    serviceCidrs: ['10.96.0.0/12'],
    hasLiveObjects: true,
    apiEndpoint: { host: '10.0.1.200', port: 6443 },
  },
  machineConfigs: [],
};

const WITHOUT_KUBE_PROXY: Partial<FactsLiteral> = { kubeProxy: { present: false } };

/** Targets as people write them, by name. */
const TARGETS: Readonly<Record<string, string>> = {
  small: VALUES,
  'post-mortem': fixture('post-mortem/values-talos.yaml'),
  large: fixture('large-target.yaml'),
  'kube-proxy-kept': 'kubeProxyReplacement: false\n',
  old: 'kubeProxyReplacement: strict\ntunnel: geneve\nnodePort: {enabled: true}\n',
  native:
    'kubeProxyReplacement: true\nroutingMode: native\nipv4NativeRoutingCIDR: 10.244.0.0/16\nautoDirectNodeRoutes: true\nbpf: {masquerade: true}\n',
  hubble: 'kubeProxyReplacement: true\nhubble: {relay: {enabled: true}, ui: {enabled: true}}\n',
  encrypted: 'kubeProxyReplacement: true\nencryption: {enabled: true, type: wireguard}\n',
};

const CLUSTERS: Readonly<Record<string, Partial<FactsLiteral>>> = {
  talos: {},
  kubeadm: KUBEADM,
  'without-kube-proxy': WITHOUT_KUBE_PROXY,
};

/** A refusal to plan is no case: a plan that is made must be one that can be carried out. */
export function planCases(chartVersion: string): readonly ValueCase[] {
  return Object.entries(CLUSTERS).flatMap(([cluster, facts]) =>
    Object.entries(TARGETS).flatMap(([target, values]) => {
      const name = `plan-${cluster}-${target}`;
      return releasesFor({ ...facts, values }, chartVersion).map(({ step, release }) => ({
        id: `${name}-${step}`,
        set: {},
        values: release,
        mustRender: true,
      }));
    }),
  );
}

/** Values by step; none where the planner refuses. */
export function releasesFor(
  facts: Partial<FactsLiteral>,
  chartVersion: string,
): readonly { step: string; release: Readonly<Record<string, unknown>> }[] {
  let plan;
  try {
    plan = planned({ ...facts, chartVersion });
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('refused: ')) return [];
    throw error;
  }
  return plan.steps.flatMap(({ id, action }) =>
    action.kind === 'install-helm-release' ? [{ step: id, release: action.values }] : [],
  );
}
