/**
 * The Kubernetes API as regauge uses it. Objects are raw: fields that regauge does not know are kept
 * by reading and by writing. Failures are `RegaugeError`s: `not-found` (object or kind), `conflict`
 * (resourceVersion, another field manager, a name that is taken), `unauthenticated` (401),
 * `forbidden` (403), `unreachable` (name, route, no answer), `untrusted` (TLS), `refused` (admission, validation),
 * `timeout` (the caller's deadline), `expired` (410), `throttled` (429 to the end of patience),
 * `interrupted` (the caller's signal).
 */
import type { KubeObject } from '../model/kubernetes.ts';
import type { CallOptions, ListOptions } from './kubernetes-calls.ts';
import type { ContainerPort } from './kubernetes-containers.ts';
import type { WatchEvent, WatchOptions } from './kubernetes-watch.ts';

export interface ObjectAddress {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

export interface PageOptions extends ListOptions {
  /** Objects per page; 500 when absent. */
  readonly limit?: number;
}

export interface ListPage<T extends KubeObject> {
  readonly items: readonly T[];
  /** Of the list, not of an object: a watch may begin here once the last page was read. */
  readonly resourceVersion: string;
  /** How many objects come after this page, where the server says so. */
  readonly remaining?: number;
  /** The server forgot the list in its middle: this page and later ones are from a newer state. */
  readonly inconsistent?: true;
  /** The list began again: what earlier pages held is to be forgotten. */
  readonly restarted?: true;
}

/** A page as the server wrote it: nothing of it was made a value. */
export interface RawListPage extends Omit<ListPage<KubeObject>, 'items'> {
  /** JSON of the objects, with commas between them; what they are (`apiVersion`, `kind`) may be missing. */
  readonly items: Uint8Array;
}

export interface WriteOptions extends CallOptions {
  /** Judged by the server as if it were done, and not done. */
  readonly dryRun?: boolean;
}

export interface ApplyOptions extends WriteOptions {
  /** Takes fields over from other managers; without it their fields are a `conflict`. */
  readonly force?: boolean;
  /** `regauge` when absent. */
  readonly fieldManager?: string;
}

export type Subresource = 'status' | 'scale';

export interface ReplaceOptions extends WriteOptions {
  readonly subresource?: Subresource;
}

export interface PatchOptions extends ReplaceOptions {
  /** `merge` (RFC 7386) when absent. Custom resources know no `strategic`. */
  readonly type?: 'merge' | 'strategic' | 'json';
}

/** RFC 6902. */
export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

export type PatchBody = Readonly<Record<string, unknown>> | readonly JsonPatchOperation[];

export interface DeleteOptions extends WriteOptions {
  readonly gracePeriodSeconds?: number;
  /** Only this very object: another uid or resourceVersion is a `conflict`. */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
}

export interface EvictOptions extends WriteOptions {
  readonly gracePeriodSeconds?: number;
}

export type EvictionAnswer =
  | { readonly evicted: true }
  | {
      readonly evicted: false;
      readonly message: string;
      /** `budget` (429) may allow it later; of `budgets-overlap` (500) that is not to be hoped. */
      readonly cause?: 'budget' | 'budgets-overlap';
    };

export interface ServerVersion {
  readonly major: string;
  readonly minor: string;
  /** As the server says it: `v1.33.1+k3s1`. */
  readonly gitVersion: string;
}

/** Requests that one API server answered with 401, since nobody whom it knows had sent them. */
export interface AuthenticationFailures {
  /** The process that counts: of several behind one address each counts its own, one that starts anew begins at 0. */
  readonly server: string;
  readonly count: number;
  /** For how long it has counted, by its own clock. */
  readonly uptimeMs: number;
}

/** A kind that the server serves. */
export interface ServedResource {
  readonly apiVersion: string;
  readonly kind: string;
  /** As in paths: `networkpolicies`. */
  readonly plural: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  /** Names below an object: `status`, `eviction`, `exec`. */
  readonly subresources: readonly string[];
}

/** What is asked without changing anything. */
export interface KubernetesReads {
  /** Undefined when there is no such object, or no such kind. */
  get<T extends KubeObject>(address: ObjectAddress, options?: CallOptions): Promise<T | undefined>;
  /** Nothing, where the kind is not served; `pages` tells the two apart with `not-found`. */
  list<T extends KubeObject>(
    apiVersion: string,
    kind: string,
    options?: ListOptions,
  ): Promise<readonly T[]>;
  /** A list, a page at a time: no more than a page is held. At least one page, which may be empty. */
  pages<T extends KubeObject>(
    apiVersion: string,
    kind: string,
    options?: PageOptions,
  ): AsyncIterable<ListPage<T>>;
  /**
   * As `pages`, for those who hand much text on: pages of about equal size in bytes unless `limit` is
   * given, the next one asked for while one is worked on. A port that has no texts has none of it.
   */
  rawPages?(apiVersion: string, kind: string, options?: PageOptions): AsyncIterable<RawListPage>;
  /**
   * Changes from a resourceVersion on; resumes by itself after a closed connection. Ends when the
   * signal says so; fails with `expired` when the server no longer knows the resourceVersion
   * (`followObjects` lists again), and with the usual codes.
   */
  watch<T extends KubeObject>(
    apiVersion: string,
    kind: string,
    options: WatchOptions,
  ): AsyncIterable<WatchEvent<T>>;
  version(options?: CallOptions): Promise<ServerVersion>;
  /**
   * Of the API server that answers this request, from its metrics (`GET /metrics`:
   * `authentication_attempts`, which counts what `apiserver_request_total{code="401"}` does not, measured
   * on 1.33). `forbidden` without the right to that path; `refused` where it does not tell. The answer is
   * megabytes on a large cluster: not to be asked for often.
   */
  authenticationFailures(options?: CallOptions): Promise<AuthenticationFailures>;
  /** Which kinds are served, in all versions; a group that does not answer is left out and named. */
  resources(options?: CallOptions): Promise<ServedResources>;
}

export interface ServedResources {
  readonly resources: readonly ServedResource[];
  /** Group versions of aggregated APIs that did not answer. */
  readonly unavailable: readonly string[];
}

/**
 * What changes objects. A write that carries `metadata.resourceVersion` happens to that version of
 * the object or is a `conflict`.
 */
export interface KubernetesWrites {
  /** A name that is taken is a `conflict`. */
  create<T extends KubeObject>(object: T, options?: WriteOptions): Promise<T>;
  /** Server-side apply with regauge's own field manager: creates, or merges the fields given. */
  apply<T extends KubeObject>(object: T, options?: ApplyOptions): Promise<T>;
  /** The whole object (PUT); a subresource changes its part alone. */
  replace<T extends KubeObject>(object: T, options?: ReplaceOptions): Promise<T>;
  /** JSON merge patch (RFC 7386) unless another type is asked for: null removes. */
  patch<T extends KubeObject>(
    address: ObjectAddress,
    patch: PatchBody,
    options?: PatchOptions,
  ): Promise<T>;
  /** Resolves when the deletion was accepted; no error when there is no such object. */
  delete(address: ObjectAddress, options?: DeleteOptions): Promise<void>;
  /** `not-found` when there is no such pod. */
  evict(namespace: string, pod: string, options?: EvictOptions): Promise<EvictionAnswer>;
}

export interface KubernetesPort extends KubernetesReads, KubernetesWrites, ContainerPort {}
