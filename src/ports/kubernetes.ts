/**
 * The Kubernetes API as the engine uses it. Failures are `RegaugeError`s: `not-found`, `conflict`,
 * `forbidden` (401/403), `unreachable`, `refused` (admission, validation, disruption budget).
 */
import type { KubeObject } from '../model/kubernetes.ts';

export interface ObjectAddress {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

export interface ListOptions {
  readonly namespace?: string;
  /** `spec.nodeName=…` for pods. */
  readonly nodeName?: string;
  readonly labelSelector?: Readonly<Record<string, string>>;
}

export type EvictionAnswer =
  | { readonly evicted: true }
  /** 429: the budget does not allow it now. */
  | { readonly evicted: false; readonly message: string };

export interface KubernetesPort {
  /** Undefined when there is no such object. */
  get<T extends KubeObject>(address: ObjectAddress): Promise<T | undefined>;
  list<T extends KubeObject>(
    apiVersion: string,
    kind: string,
    options?: ListOptions,
  ): Promise<readonly T[]>;
  /** Server-side apply with regauge's own field manager: creates, or merges the fields given. */
  apply<T extends KubeObject>(object: T): Promise<T>;
  /** JSON merge patch (RFC 7386): null removes. */
  patch<T extends KubeObject>(
    address: ObjectAddress,
    patch: Readonly<Record<string, unknown>>,
  ): Promise<T>;
  /** Resolves when the deletion was accepted; no error when there is no such object. */
  delete(address: ObjectAddress, options?: { readonly gracePeriodSeconds?: number }): Promise<void>;
  evict(namespace: string, pod: string): Promise<EvictionAnswer>;
}
