/**
 * Which steps a resumed run need not look at: those a later step of the same plan waited for, when
 * the cluster shows that the later one has begun. A later step may undo what an earlier one did (the
 * final values replace the first ones, the migration label goes): to observe the earlier one alone
 * would do it again. Evidence is what the step itself leaves in the cluster, never a record of the run.
 */
import { canonicalJson } from '../../base/canonical-json.ts';
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject, NodeObject } from '../../model/kubernetes.ts';
import type { Action, ActionKind, Plan, Step } from '../../model/plan.ts';
import type { Ports, ReleaseStatus } from '../../ports/index.ts';
import { PLAN_MARK } from '../../steps/label-node.ts';
import { rolledOutBy } from '../../steps/roll-out.ts';
import { nodeMoved } from '../../steps/verify.ts';

/**
 * Kinds whose effect a later step may take away, and checks. The others stay as they are once they
 * are done, so they are observed as ever, and done again where somebody took them back.
 */
const PASSED_BY: ReadonlySet<ActionKind> = new Set<ActionKind>([
  'install-helm-release',
  'apply-objects',
  'label-node',
  'cordon',
  'restart-agent',
  'reconfigure-agent',
  'roll-out',
  'move-probe',
  'audit-policies',
  'prove-policies',
  'verify',
]);

/** Ids of the steps that are behind the run already, for good. */
export async function passedSteps(plan: Plan, ports: Ports): Promise<ReadonlySet<string>> {
  const byId = new Map(plan.steps.map((step) => [step.id, step]));
  const before = new Set<string>();
  /** Behind a step that comes when no node moves any more. */
  const beforeMoved = new Set<string>();
  const looks = new Looks(plan, ports);
  for (const step of plan.steps.toReversed()) {
    if (before.has(step.id) || !(await looks.hasBegun(step))) continue;
    addAncestors(step, byId, before);
    if (step.action.kind !== 'label-node') addAncestors(step, byId, beforeMoved);
  }
  const passed = [...before].filter((id) => {
    const action = byId.get(id)?.action;
    if (action === undefined || !PASSED_BY.has(action.kind)) return false;
    return !holdsUnmoved(action) || beforeMoved.has(id);
  });
  return withoutThoseOfNewNodes(plan, passed, byId, looks);
}

/**
 * A node may have joined when what waits for its steps had begun long before: that tells nothing of it. What
 * moves it is behind only where it is seen to have moved, what tells its agent anything never is.
 */
async function withoutThoseOfNewNodes(
  { joined = [] }: Plan,
  passed: readonly string[],
  byId: ReadonlyMap<string, Step>,
  looks: Looks,
): Promise<ReadonlySet<string>> {
  const kept = new Set(passed);
  if (joined.length === 0) return kept;
  const names = new Set(joined.map(({ name }) => name));
  for (const id of passed) {
    const step = byId.get(id);
    const [own, ...others] = step === undefined ? [] : concerned(step);
    if (step === undefined || own === undefined || others.length > 0 || !names.has(own)) continue;
    const isBehind = step.phase === 'move-nodes' && (await looks.hasMoved(own));
    if (!isBehind) kept.delete(id);
  }
  return kept;
}

function concerned({ action, nodes }: Step): readonly string[] {
  if ('node' in action) return [action.node];
  return 'nodes' in action ? action.nodes : nodes;
}

/** Ids of the steps that the cluster shows to have begun, and of all that they waited for. */
export async function begunSteps(plan: Plan, ports: Ports): Promise<ReadonlySet<string>> {
  const byId = new Map(plan.steps.map((step) => [step.id, step]));
  const begun = new Set<string>();
  const looks = new Looks(plan, ports);
  for (const step of plan.steps.toReversed()) {
    if (begun.has(step.id) || !(await looks.hasBegun(step))) continue;
    begun.add(step.id);
    addAncestors(step, byId, begun);
  }
  return begun;
}

/** It spares nodes that have moved: while others have not, it is as true as it was. */
function holdsUnmoved(action: Action): boolean {
  return action.kind === 'cordon' && action.exceptLabel !== undefined;
}

function addAncestors(step: Step, byId: ReadonlyMap<string, Step>, found: Set<string>): void {
  const open = [...step.dependsOn];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    open.push(...(byId.get(id)?.dependsOn ?? []));
  }
}

/** Each thing is asked for once, however many steps leave their mark on it. */
class Looks {
  private readonly plan: Plan;
  private readonly ports: Ports;
  private nodes: Promise<ReadonlyMap<string, NodeObject>> | undefined;
  private readonly releases = new Map<string, Promise<ReleaseStatus | undefined>>();
  private readonly objects = new Map<string, Promise<KubeObject | undefined>>();
  private readonly moved = new Map<string, Promise<boolean>>();

  constructor(plan: Plan, ports: Ports) {
    this.plan = plan;
    this.ports = ports;
  }

  async hasBegun({ id, action }: Step): Promise<boolean> {
    switch (action.kind) {
      case 'install-helm-release':
        return isOf(await this.release(action), action);
      case 'roll-out': {
        const found = await this.object(action.target);
        return found !== undefined && rolledOutBy(found, this.plan, id);
      }
      case 'label-node':
        return isLabelledBy((await this.allNodes()).get(action.node), action, this.plan);
      default:
        return false;
    }
  }

  /** It gives pods the new network, and has none on the old one. */
  hasMoved(node: string): Promise<boolean> {
    const asked = this.moved.get(node) ?? this.seesMoved(node);
    this.moved.set(node, asked);
    return asked;
  }

  private async seesMoved(node: string): Promise<boolean> {
    const { ports, plan } = this;
    try {
      return (await nodeMoved({ ports, plan }, node)).holds;
    } catch (error) {
      // A machine that does not answer has not moved as far as is known.
      if (error instanceof RegaugeError) return false;
      throw error;
    }
  }

  private release({
    release,
    namespace,
  }: Extract<Action, { readonly kind: 'install-helm-release' }>): Promise<
    ReleaseStatus | undefined
  > {
    const key = `${namespace}/${release}`;
    const asked = this.releases.get(key) ?? this.ports.helm.status(release, namespace);
    this.releases.set(key, asked);
    return asked;
  }

  private object(
    target: Extract<Action, { readonly kind: 'roll-out' }>['target'],
  ): Promise<KubeObject | undefined> {
    const key = `${target.kind} ${target.namespace ?? ''}/${target.name}`;
    const asked = this.objects.get(key) ?? this.ports.kubernetes.get(target);
    this.objects.set(key, asked);
    return asked;
  }

  private allNodes(): Promise<ReadonlyMap<string, NodeObject>> {
    this.nodes ??= this.ports.kubernetes
      .list<NodeObject>('v1', 'Node')
      .then((nodes) => new Map(nodes.map((node) => [node.metadata.name, node])));
    return this.nodes;
  }
}

/** Also when it ended half-way: it was begun. */
function isOf(
  status: ReleaseStatus | undefined,
  { version, values }: Extract<Action, { readonly kind: 'install-helm-release' }>,
): boolean {
  if (status === undefined || status.status === 'uninstalled') return false;
  return (
    status.chartVersion.replace(/^v/, '') === version.replace(/^v/, '') &&
    canonicalJson(status.values) === canonicalJson(values)
  );
}

/** By this plan: a label that a person set says nothing about what was done before. */
function isLabelledBy(
  node: NodeObject | undefined,
  { labels }: Extract<Action, { readonly kind: 'label-node' }>,
  plan: Plan,
): boolean {
  const wanted = Object.entries(labels).filter(([, value]) => value !== null);
  if (wanted.length === 0 || node?.metadata.annotations?.[PLAN_MARK] !== plan.id) return false;
  return wanted.every(([key, value]) => node.metadata.labels?.[key] === value);
}
