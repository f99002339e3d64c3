/** For tests only: small clusters as facts, and ways to look into the plans made for them. */
import { node } from '../hazards/testing-objects.ts';
import { factsFrom, type FactsLiteral } from '../hazards/testing.ts';
import type { KubeObject } from '../model/kubernetes.ts';
import type { Action, Plan, Step } from '../model/plan.ts';
import type { Intent } from './intent.ts';
import { planMigration } from './plan-migration.ts';

export function nodes(
  controlPlanes: number,
  workers: number,
  lan = '10.0.1',
): readonly KubeObject[] {
  return Array.from({ length: controlPlanes + workers }, (_, index) =>
    node(`${index < controlPlanes ? 'cp' : 'wrk'}-${String(index).padStart(3, '0')}`, {
      ip: `${lan}.${(index % 250) + 1}`,
      controlPlane: index < controlPlanes,
    }),
  );
}

export const VALUES = `
kubeProxyReplacement: true
ipam:
  operator:
    clusterPoolIPv4PodCIDRList: ["10.245.0.0/16"]
`;

export function literal(more: Partial<FactsLiteral> = {}): FactsLiteral {
  return {
    cluster: {
      distribution: 'talos',
      talosVersion: '1.10.2',
      kubernetesVersion: '1.32.3',
      podCidrs: ['10.244.0.0/16'],
      serviceCidrs: ['10.96.0.0/12'],
      hasLiveObjects: true,
    },
    sourceCni: 'flannel',
    flannel: { port: 4789, enforcesPolicies: false },
    kubeProxy: { present: true, mode: 'iptables' },
    values: VALUES,
    chartVersion: '1.16.5',
    machineConfigs: [
      {
        text: 'machine: {type: controlplane}',
        node: 'cp-000',
        kind: 'config',
        facts: { kubePrism: { enabled: true, port: 7445 }, forwardKubeDnsToHost: false },
      },
    ],
    objects: nodes(3, 4),
    ...more,
  };
}

export function planned(more: Partial<FactsLiteral> = {}, intent: Intent = {}): Plan {
  const result = planMigration(factsFrom(literal(more)), intent);
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.refusals, undefined, 1)}`);
  return result.plan;
}

export function refused(more: Partial<FactsLiteral> = {}, intent: Intent = {}): readonly string[] {
  const result = planMigration(factsFrom(literal(more)), intent);
  return result.ok ? [] : result.refusals.map(({ hazard }) => hazard);
}

export function step(plan: Plan, id: string): Step {
  const found = plan.steps.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no step ${id}`);
  return found;
}

export function actionOf<K extends Action['kind']>(
  plan: Plan,
  id: string,
  kind: K,
): Extract<Action, { kind: K }> {
  const { action } = step(plan, id);
  if (action.kind !== kind) throw new Error(`${id} is ${action.kind}`);
  // The kind was just compared.
  return action as Extract<Action, { kind: K }>;
}

export function valuesAt(plan: Plan, id: string): Record<string, unknown> {
  return actionOf(plan, id, 'install-helm-release').values as Record<string, unknown>;
}

export function choice(plan: Plan, about: string): string | undefined {
  return plan.decisions.find((decision) => decision.about === about)?.choice;
}

export function ancestors(plan: Plan, id: string): ReadonlySet<string> {
  const byId = new Map(plan.steps.map((each) => [each.id, each]));
  const seen = new Set<string>();
  const visit = (current: string): void => {
    for (const before of byId.get(current)?.dependsOn ?? []) {
      if (seen.has(before)) continue;
      seen.add(before);
      visit(before);
    }
  };
  visit(id);
  return seen;
}
