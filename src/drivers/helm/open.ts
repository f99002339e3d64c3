/**
 * The user's own `helm` behind the Helm port. Nothing is started before the first call; the version
 * is asked once. Values go through standard input only, never through arguments or files.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { HelmPort } from '../../ports/index.ts';

export interface HelmOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly as?: string;
  readonly asGroups?: readonly string[];
  /** `process.env` when absent. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** `HELM_BIN` of the environment, else `helm` in PATH, when absent. */
  readonly binary?: string;
  /**
   * Where the Cilium chart is: a repository (`https://helm.cilium.io/`, the default), a reference
   * (`oci://quay.io/cilium/charts/cilium`, `repository/cilium`), or a folder or archive on this machine.
   * `{version}` in it stands for the version asked for.
   */
  readonly chart?: string;
  /** What the cluster is able to, for `template`. */
  readonly capabilities?: () => Promise<Capabilities>;
}

/** As Helm's templates see them. */
export interface Capabilities {
  /** `v1.33.1+k3s1`. */
  readonly kubeVersion: string;
  /** Group versions, and kinds in them: `apps/v1`, `apps/v1/DaemonSet`. */
  readonly apiVersions: readonly string[];
}

export interface OpenedHelm extends HelmPort {
  /** Throws `bad-input` when there is no Helm that can be used; `3.19.0`. */
  version(): Promise<string>;
}

/** Throws `bad-input` when the kubeconfig names no cluster. */
export function openHelm(_options: HelmOptions = {}): OpenedHelm {
  const missing = (): Promise<never> =>
    Promise.reject(new RegaugeError('refused', 'Helm cannot be run yet'));
  return {
    version: missing,
    status: missing,
    history: missing,
    manifest: missing,
    template: missing,
    upgradeOrInstall: missing,
    repair: missing,
    uninstall: missing,
    rollback: missing,
  };
}
