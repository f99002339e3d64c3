/**
 * Admission webhooks. The API server dials the webhook's Service from the control-plane host, so a
 * broken pod network turns every matching write into an error or a wait (failure-domains.md 2.2
 * "API-side blast radius"). The configurations themselves are exempt and can always be edited.
 */
import {
  type KubeObject,
  matchesLabels,
  type WebhookConfigurationObject,
} from '../../model/kubernetes.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { Constants } from '../constants.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { AdmissionVerdict, Fabric } from '../world.ts';
import type { ControlPlane } from './control-plane.ts';

type Webhook = NonNullable<WebhookConfigurationObject['webhooks']>[number];

export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

export interface AdmissionParts {
  readonly kernel: Kernel;
  readonly store: ObjectStore;
  readonly constants: Constants;
  /** Asked for late: fabric and API server need each other. */
  readonly fabric: Fabric;
}

const CONFIGURATIONS = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'] as const;
const EXEMPT = new Set<string>([
  ...CONFIGURATIONS,
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
]);

export class AdmissionWebhooks {
  private readonly parts: AdmissionParts;
  private readonly controlPlane: ControlPlane;
  private webhooks: readonly Webhook[] | undefined;
  /** Failures told already, by webhook and text, with their occurrence. */
  private readonly told = new Map<string, OccurrenceId>();

  constructor(parts: AdmissionParts, controlPlane: ControlPlane) {
    this.parts = parts;
    this.controlPlane = controlPlane;
    for (const kind of CONFIGURATIONS) {
      parts.store.watch(kind, () => (this.webhooks = undefined));
    }
  }

  admit(request: AdmissionRequest): AdmissionVerdict {
    if (EXEMPT.has(request.kind)) return { ok: true };
    let delayMs = 0;
    for (const webhook of this.all()) {
      if (!this.concerns(webhook, request)) continue;
      const failure = this.call(webhook);
      if (failure === undefined) continue;
      delayMs += failure.tookMs;
      const failsOpen = webhook.failurePolicy === 'Ignore';
      const because = [this.tell(webhook, failure, failsOpen)];
      if (!failsOpen) return { ok: false, message: failure.message, because, delayMs };
    }
    return { ok: true, delayMs };
  }

  private all(): readonly Webhook[] {
    this.webhooks ??= CONFIGURATIONS.flatMap((kind) =>
      this.parts.store.list(kind).flatMap((object) => asConfiguration(object).webhooks ?? []),
    );
    return this.webhooks;
  }

  private concerns(webhook: Webhook, request: AdmissionRequest): boolean {
    const matches = (webhook.rules ?? []).some(
      ({ operations = ['*'], resources = [] }) =>
        (operations.includes('*') || operations.includes(request.operation)) &&
        (resources.includes('*') ||
          resources.includes('*/*') ||
          resources.includes(resourceOf(request.kind))),
    );
    if (!matches) return false;
    if (!selects(webhook.objectSelector, request.labels)) return false;
    return (
      request.namespace === undefined ||
      selects(webhook.namespaceSelector, this.labelsOf(request.namespace))
    );
  }

  private labelsOf(namespace: string): Readonly<Record<string, string>> {
    const labels = this.parts.store.get('Namespace', undefined, namespace)?.metadata.labels ?? {};
    return { 'kubernetes.io/metadata.name': namespace, ...labels };
  }

  /** Undefined when the webhook answers. One outside the cluster is taken to answer. */
  private call(webhook: Webhook): Failure | undefined {
    const service = webhook.clientConfig?.service;
    const from = this.controlPlane.servingNode();
    if (service === undefined || from === undefined) return undefined;
    const { namespace, name, port = 443 } = service;
    const verdict = this.parts.fabric.reach(
      { kind: 'host', node: from.name },
      { kind: 'service', namespace, name, port },
    );
    if (verdict.ok) return undefined;
    const seconds = webhook.timeoutSeconds ?? this.parts.constants.webhookTimeoutSeconds;
    const refused = /refused|no route|no endpoints|not found/.test(verdict.message);
    const detail = refused ? verdict.message : 'context deadline exceeded';
    const url = `https://${name}.${namespace}.svc:${port}/?timeout=${seconds}s`;
    return {
      message: `Internal error occurred: failed calling webhook "${webhook.name}": failed to call webhook: Post "${url}": ${detail}`,
      tookMs: refused ? 0 : seconds * 1000,
      because: verdict.because,
    };
  }

  private tell(webhook: Webhook, failure: Failure, failsOpen: boolean): OccurrenceId {
    const key = `${webhook.name}|${failure.message}`;
    const known = this.told.get(key);
    if (known !== undefined) return known;
    const { kernel } = this.parts;
    const id = kernel.because([], () =>
      kernel.occur('api.webhook-unreachable', {
        message: `${failsOpen ? 'Failed calling webhook, failing open' : 'Failed calling webhook, failing closed'} ${webhook.name}: ${failure.message}`,
        because: failure.because,
      }),
    );
    this.told.set(key, id);
    return id;
  }
}

interface Failure {
  readonly message: string;
  readonly tookMs: number;
  readonly because: readonly OccurrenceId[];
}

/** The store holds these kinds as plain objects; their shape is fixed by the kind. */
function asConfiguration(object: KubeObject): WebhookConfigurationObject {
  return object as WebhookConfigurationObject;
}

/** An absent or empty selector selects everything here, unlike in other places. */
function selects(
  selector: Webhook['namespaceSelector'],
  labels: Readonly<Record<string, string>>,
): boolean {
  return selector === undefined || matchesLabels(selector, labels);
}

/** `Pod` → `pods`, `NetworkPolicy` → `networkpolicies`, `Eviction` → `pods/eviction`. */
function resourceOf(kind: string): string {
  if (kind === 'Eviction') return 'pods/eviction';
  const lower = kind.toLowerCase();
  if (/(s|x|ch|sh)$/.test(lower)) return `${lower}es`;
  return /[^aeiou]y$/.test(lower) ? `${lower.slice(0, -1)}ies` : `${lower}s`;
}
