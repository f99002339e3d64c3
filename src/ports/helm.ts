/**
 * Helm as the engine uses it. Failures are `RegaugeError`s: `refused` (the chart does not render,
 * with the chart's own message; an object of somebody else), `conflict` (another operation is in
 * progress on the release), `not-found`, `unreachable`, `untrusted`, `unauthenticated`, `forbidden`,
 * `timeout`, `interrupted`, and `bad-input` (no usable Helm, no such chart, no such context).
 */
import type { KubeObject } from '../model/kubernetes.ts';
import type { CallOptions } from './kubernetes-calls.ts';

export type HelmValues = Readonly<Record<string, unknown>>;

export interface ReleaseRequest {
  readonly release: string;
  readonly namespace: string;
  readonly chart: 'cilium';
  readonly version: string;
  readonly values: HelmValues;
}

export type ReleaseState =
  | 'deployed'
  | 'failed'
  | 'pending-install'
  | 'pending-upgrade'
  | 'pending-rollback'
  | 'superseded'
  | 'uninstalling'
  | 'uninstalled'
  | 'unknown';

export interface ReleaseStatus {
  readonly revision: number;
  readonly status: ReleaseState;
  readonly chartVersion: string;
  /** As they were given, without the chart's own. */
  readonly values: HelmValues;
}

/** A line of `helm history`. */
export interface ReleaseRevision {
  readonly revision: number;
  readonly status: ReleaseState;
  readonly chartVersion: string;
  /** RFC 3339, by the clock of the machine that ran Helm. */
  readonly updatedAt: string;
  readonly description: string;
}

export interface ReleaseWriteOptions extends CallOptions {
  /**
   * What is done about an operation on the release that ended half-way (`pending-…`,
   * `uninstalling`). `refuse`, when absent: a `conflict` that says what it is. `repair`: the caller
   * knows that it was its own, or that whoever ran it is gone; it is undone first (`repair`).
   */
  readonly unfinished?: 'refuse' | 'repair';
}

export interface HelmPort {
  status(
    release: string,
    namespace: string,
    options?: CallOptions,
  ): Promise<ReleaseStatus | undefined>;
  /** Oldest first; empty when there is no such release. */
  history(
    release: string,
    namespace: string,
    options?: CallOptions,
  ): Promise<readonly ReleaseRevision[]>;
  /**
   * The objects of a revision (the last when absent) as the chart rendered them; what Secrets hold
   * is withheld. `not-found` when there is no such release or revision.
   */
  manifest(
    release: string,
    namespace: string,
    options?: CallOptions & { readonly revision?: number },
  ): Promise<readonly KubeObject[]>;
  /** What an installation would render on this cluster; nothing is changed. As `manifest`. */
  template(request: ReleaseRequest, options?: CallOptions): Promise<readonly KubeObject[]>;
  /**
   * `helm upgrade --install` with exactly these values; resolves when the objects were accepted, not
   * when they are ready. Doing it again is harmless: the objects are brought back to what the chart
   * renders. A failure is never taken back by itself: the error says how the release stands.
   */
  upgradeOrInstall(request: ReleaseRequest, options?: ReleaseWriteOptions): Promise<ReleaseStatus>;
  /**
   * Ends an operation that was broken off: an upgrade or rollback goes back to the last revision that
   * was deployed, a first installation is uninstalled, an uninstallation is finished. Undefined when
   * nothing is installed then. A release that is not half-way stays as it is.
   */
  repair(
    release: string,
    namespace: string,
    options?: CallOptions,
  ): Promise<ReleaseStatus | undefined>;
  uninstall(release: string, namespace: string, options?: CallOptions): Promise<void>;
  /** To the revision before the last, when none is given. */
  rollback(
    release: string,
    namespace: string,
    revision?: number,
    options?: CallOptions,
  ): Promise<ReleaseStatus>;
}

/** A run of Helm did not end: every upgrade is refused until this is put right. */
export function isUnfinished({ status }: { readonly status: ReleaseState }): boolean {
  return status.startsWith('pending-') || status === 'uninstalling';
}
