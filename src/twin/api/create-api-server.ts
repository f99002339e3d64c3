/**
 * The API server as its clients meet it: does it answer, does it know me, does it take my write.
 * Storage is the object store; this is what stands in front of it.
 */
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { AuthenticationFailures } from '../../ports/index.ts';
import type {
  AdmissionVerdict,
  ApiIdentity,
  ApiServer,
  ApiVerdict,
  Fabric,
  TwinNode,
  World,
} from '../world.ts';
import { AdmissionWebhooks } from './admission-webhooks.ts';
import { ControlPlane } from './control-plane.ts';
import { RefusedRequests } from './refused-requests.ts';
import { refusalOf, type TokenRefusal } from './token-authentication.ts';
import type { ServiceAccountToken } from '../world.ts';

export interface ApiServerParts extends Pick<World, 'kernel' | 'store' | 'constants' | 'nodes'> {
  /** Read when first needed, so that it may be set after the API server was made. */
  readonly fabric: Fabric;
}

export function createApiServer(parts: ApiServerParts): ApiServer {
  return new TwinApiServer(parts);
}

class TwinApiServer implements ApiServer {
  private readonly parts: ApiServerParts;
  private readonly controlPlane: ControlPlane;
  private readonly webhooks: AdmissionWebhooks;
  private readonly refusals = new Map<string, OccurrenceId>();
  private readonly refused: RefusedRequests;
  private unauthorized = 0;
  private quorumLost: OccurrenceId | undefined;
  private waiting: { readonly action: () => void; readonly causes: readonly OccurrenceId[] }[] = [];
  private checkPlanned = false;

  constructor(parts: ApiServerParts) {
    this.parts = parts;
    this.controlPlane = new ControlPlane(parts);
    this.refused = new RefusedRequests(parts.kernel, this.controlPlane);
    this.webhooks = new AdmissionWebhooks(parts, this.controlPlane);
  }

  healthy(): boolean {
    return this.controlPlane.healthy();
  }

  runsOn(node: TwinNode): boolean {
    return this.controlPlane.runsOn(node);
  }

  whenHealthy(action: () => void): void {
    if (this.healthy()) {
      action();
      return;
    }
    this.waiting.push({ action, causes: this.parts.kernel.causes });
  }

  controlPlaneChanged(): void {
    this.refused.controlPlaneChanged();
    this.watchQuorum();
    if (this.checkPlanned || this.waiting.length === 0) return;
    this.checkPlanned = true;
    // Not at once: who tells of the change may still be in the middle of it.
    this.parts.kernel.after(this.parts.constants.apiCallMs, () => {
      this.checkPlanned = false;
      this.release();
    });
  }

  check(identity: ApiIdentity): ApiVerdict {
    if (!this.healthy()) {
      const message = 'the API server does not answer: connect: connection refused';
      return { ok: false, failure: 'unreachable', message, because: this.whyNoQuorum() };
    }
    if (identity.kind === 'certificate') return { ok: true };
    const refusal = refusalOf(identity.token, this.parts);
    if (refusal === undefined) return { ok: true };
    this.unauthorized += 1;
    this.refused.count();
    const because = [this.tell(identity.token, refusal)];
    return { ok: false, failure: 'unauthorized', message: 'Unauthorized', because };
  }

  whyNoQuorum(): readonly OccurrenceId[] {
    return this.quorumLost === undefined ? [] : [this.quorumLost];
  }

  private watchQuorum(): void {
    const lost = this.controlPlane.lostQuorum();
    if (lost === undefined) {
      this.quorumLost = undefined;
      return;
    }
    if (this.quorumLost !== undefined) return;
    const { kernel } = this.parts;
    const message = `${lost.up} of ${lost.members} members of etcd are up: the API server answers nobody`;
    this.quorumLost = kernel.because(kernel.causes, () =>
      kernel.occur('etcd.quorum-lost', { message }),
    );
  }

  unauthorizedCount(): number {
    return this.unauthorized;
  }

  authenticationFailures(): AuthenticationFailures {
    return this.refused.now();
  }

  refuseStranger(): void {
    this.refused.count();
  }

  admit(
    operation: 'CREATE' | 'UPDATE' | 'DELETE',
    kind: string,
    namespace: string | undefined,
    labels: Readonly<Record<string, string>> = {},
  ): AdmissionVerdict {
    return this.webhooks.admit({ operation, kind, namespace, labels });
  }

  private release(): void {
    if (!this.healthy()) return;
    const { waiting } = this;
    this.waiting = [];
    for (const { action, causes } of waiting) this.parts.kernel.because(causes, action);
  }

  /** The reason once per token's pod, as the API server's log would have it many times. */
  private tell(token: ServiceAccountToken, { kind, reason, because }: TokenRefusal): OccurrenceId {
    const key = `${token.podUid}|${reason}`;
    const known = this.refusals.get(key);
    if (known !== undefined) return known;
    const { kernel } = this.parts;
    const name = token.podName ?? token.podUid;
    const id = kernel.because([], () =>
      kernel.occur(kind, {
        subject: { kind: 'Pod', namespace: token.namespace, name },
        message: `Unable to authenticate the request: [invalid bearer token, ${reason}]`,
        because,
      }),
    );
    this.refusals.set(key, id);
    return id;
  }
}
