/**
 * A twin for real clients: its Kubernetes API over HTTPS, with virtual time at a speed of the wall's
 * clock. Makes the certificates; writes no file.
 */
import { randomBytes } from 'node:crypto';
import type { World } from '../world.ts';
import { type Authority, createAuthority } from './certificates.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { createKubernetesApi, type KubernetesApi } from './kubernetes/api.ts';
import { serveKubernetes } from './kubernetes/server.ts';
import { Pace, type Speed, WALL_CLOCK } from './pace.ts';

export interface ServeTwinOptions {
  readonly world: World;
  readonly clusterName: string;
  readonly speed: Speed;
  readonly host: string;
  readonly port: number;
  /** The real time now, milliseconds since 1970: for certificates. */
  readonly now: number;
  /** A mistake of the twin; it stands still afterwards. */
  readonly onFailure: (error: unknown) => void;
}

export interface ServedTwin {
  /** `https://127.0.0.1:41234`. */
  readonly url: string;
  /** Of an administrator, with its key. */
  readonly kubeconfig: string;
  readonly pace: Pace;
  readonly api: KubernetesApi;
  readonly authority: Authority;
  close(): Promise<void>;
}

const ADMIN = { commonName: 'admin', organizations: ['system:masters'] };

export async function serveTwin(options: ServeTwinOptions): Promise<ServedTwin> {
  const { world, clusterName, speed, host, port, now, onFailure } = options;
  const authority = await createAuthority({
    kind: 'ecdsa-p256',
    commonName: 'kubernetes',
    now,
  });
  const pace = new Pace({ kernel: world.kernel, speed, onFailure });
  const before = (): void => pace.catchUp();
  const after = (wrote: boolean): void => {
    // As in memory, where whoever wrote meets a cluster that has heard of it.
    if (wrote) pace.advance(world.constants.apiCallMs);
    pace.schedule();
  };
  const api = createKubernetesApi({
    world,
    clock: WALL_CLOCK,
    before,
    after,
    randomToken: () => randomBytes(32).toString('base64url'),
    onFailure,
  });
  const server = await serveKubernetes({
    api,
    world,
    identity: await authority.issueServer([host]),
    clientAuthority: authority.certificate,
    host,
    port,
    before,
    after,
    onFailure,
  });
  const shownHost = host.includes(':') ? `[${host}]` : host;
  const url = `https://${shownHost}:${server.port}`;
  pace.resume();
  return {
    url,
    kubeconfig: kubeconfigText({
      cluster: clusterName,
      url,
      authority: authority.certificate,
      user: ADMIN.commonName,
      identity: await authority.issueClient(ADMIN),
    }),
    pace,
    api,
    authority,
    close: async () => {
      pace.pause();
      await server.close();
    },
  };
}
