/** Helm as the engine uses it. A chart that does not render is `refused` with the chart's message. */
export type HelmValues = Readonly<Record<string, unknown>>;

export interface ReleaseRequest {
  readonly release: string;
  readonly namespace: string;
  readonly chart: 'cilium';
  readonly version: string;
  readonly values: HelmValues;
}

export interface ReleaseStatus {
  readonly revision: number;
  readonly status: 'deployed' | 'failed' | 'pending-install' | 'pending-upgrade' | 'uninstalled';
  readonly chartVersion: string;
  readonly values: HelmValues;
}

export interface HelmPort {
  status(release: string, namespace: string): Promise<ReleaseStatus | undefined>;
  /** `helm upgrade --install`; resolves when the objects were accepted, not when they are ready. */
  upgradeOrInstall(request: ReleaseRequest): Promise<ReleaseStatus>;
  uninstall(release: string, namespace: string): Promise<void>;
  rollback(release: string, namespace: string, revision?: number): Promise<ReleaseStatus>;
}
