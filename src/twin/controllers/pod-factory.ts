/** How a controller creates and counts its pods: from a template, through admission, under its name. */
import type { Random } from '../../base/random.ts';
import {
  controllerOf,
  type KubeObject,
  type OwnerReference,
  type PodObject,
  type PodSpec,
  type PodTemplate,
} from '../../model/kubernetes.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import { serviceAccountRefusal, withPodDefaults } from '../api/pod-admission.ts';
import { eventRecorderOf } from '../kubelet/event-recorder.ts';
import { isActive } from '../store/pod-index.ts';
import type { World } from '../world.ts';

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

export interface NewPod {
  readonly owner: KubeObject;
  /** A whole name, or the start of one that gets a random end. */
  readonly name: string | { readonly prefix: string };
  readonly template: PodTemplate;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: Partial<PodSpec>;
  readonly component: string;
  /** Keeps the owner from being worked on while the API server has not answered; see `WorkQueue.hold`. */
  readonly hold: () => (failed: boolean) => void;
}

interface Refusal {
  readonly message: string;
  readonly because: readonly OccurrenceId[];
}

export class PodFactory {
  private readonly world: World;
  private readonly random: Random;

  constructor(world: World) {
    this.world = world;
    this.random = world.kernel.random.fork('pod-names');
  }

  /**
   * Creates the pod; false when admission refused it, which the owner's `FailedCreate` event tells.
   * While webhooks time out the pod is under way, which counts as created until its owner is looked
   * at again.
   */
  create(request: NewPod): boolean {
    const pod = this.build(request);
    const { refusal, delayMs } = this.admission(pod);
    if (delayMs === 0) return this.settle(request, pod, refusal);
    const settled = request.hold();
    this.world.kernel.after(delayMs, () => settled(!this.settle(request, pod, refusal)));
    return true;
  }

  private settle(request: NewPod, pod: PodObject, refusal: Refusal | undefined): boolean {
    if (refusal !== undefined) this.refused(request, refusal.message, refusal.because);
    else if (this.isWanted(request, pod)) this.world.store.create(pod);
    return refusal === undefined;
  }

  /** Time may have passed: the owner may be gone, or have got a pod of that name. */
  private isWanted({ owner }: NewPod, { metadata }: PodObject): boolean {
    const { store } = this.world;
    const live = store.get<string>(owner.kind, owner.metadata.namespace, owner.metadata.name);
    const taken = store.get('Pod', metadata.namespace, metadata.name) !== undefined;
    return live?.metadata.uid === owner.metadata.uid && !taken;
  }

  private build({ owner, name, template, labels = {}, spec = {} }: NewPod): PodObject {
    const { metadata = {}, spec: templateSpec } = template;
    return withPodDefaults<PodObject>(
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: typeof name === 'string' ? name : this.randomName(name.prefix, owner),
          namespace: owner.metadata.namespace ?? 'default',
          labels: { ...metadata.labels, ...labels },
          ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
          ownerReferences: [ownerReferenceTo(owner)],
        },
        spec: { ...templateSpec, ...spec },
        status: { phase: 'Pending' },
      },
      this.world.constants,
    );
  }

  private randomName(prefix: string, owner: KubeObject): string {
    for (;;) {
      let name = prefix;
      for (let index = 0; index < 5; index += 1)
        name += ALPHABET[this.random.between(0, ALPHABET.length - 1)];
      const taken = this.world.store.get('Pod', owner.metadata.namespace ?? 'default', name);
      if (taken === undefined) return name;
    }
  }

  private admission(pod: PodObject): { refusal: Refusal | undefined; delayMs: number } {
    const { name, namespace = 'default', labels } = pod.metadata;
    const serviceAccount = pod.spec.serviceAccountName ?? 'default';
    const message = serviceAccountRefusal(this.world.store, { name, namespace, serviceAccount });
    if (message !== undefined) return { refusal: { message, because: [] }, delayMs: 0 };
    const verdict = this.world.api.admit('CREATE', 'Pod', namespace, labels);
    return { refusal: verdict.ok ? undefined : verdict, delayMs: verdict.delayMs ?? 0 };
  }

  private refused(
    { owner, component }: NewPod,
    message: string,
    because: readonly OccurrenceId[],
  ): void {
    const { kernel } = this.world;
    const subject = referenceTo(owner);
    const text = `Error creating: ${message}`;
    eventRecorderOf(this.world).record({
      subject,
      subjectUid: owner.metadata.uid,
      component,
      type: 'Warning',
      reason: 'FailedCreate',
      message: text,
    });
    kernel.because(kernel.causes, () =>
      kernel.occur('controller.pod-create-refused', { subject, message: text, because }),
    );
  }
}

function ownerReferenceTo(owner: KubeObject): OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true };
}

export function referenceTo(object: KubeObject): {
  kind: string;
  namespace?: string;
  name: string;
} {
  const { namespace, name } = object.metadata;
  return namespace === undefined
    ? { kind: object.kind, name }
    : { kind: object.kind, namespace, name };
}

/** The pods an owner controls and that count: not finished, not on their way out. */
export function activePodsOf(world: World, ownerUid: string): PodObject[] {
  return world.store
    .podsOf(ownerUid)
    .filter((pod) => controllerOf(pod)?.uid === ownerUid && isActive(pod));
}

/** A count or a share of the total, as budgets and strategies give it. */
export function countOf(
  value: number | string | undefined,
  total: number,
  rounding: 'up' | 'down',
): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number') return value;
  if (!value.endsWith('%')) return Number.parseInt(value, 10) || 0;
  const exact = (Number.parseFloat(value) * total) / 100;
  return rounding === 'up' ? Math.ceil(exact) : Math.floor(exact);
}
