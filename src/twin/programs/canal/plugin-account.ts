/**
 * The service account under which the calico plugin asks the API server, as its kubeconfig carries it.
 * The token is one for the account alone, not for the pod that asked for it, so it outlives that pod;
 * with the account it ends (calico:node/pkg/cni/token_watch.go@87c1590).
 */
import type { ApiVerdict, ProcessHost, ServiceAccountToken, TwinNode, World } from '../../world.ts';
import { fabricOf } from '../../network/fabric.ts';
import type { AskApiServer } from '../../runtime/plugin-host.ts';

export function pluginKubeconfig({ world, pod }: ProcessHost): string {
  const namespace = pod.metadata.namespace ?? 'default';
  const name = pod.spec.serviceAccountName ?? 'default';
  const uid = world.store.get('ServiceAccount', namespace, name)?.metadata.uid;
  // An account that was not read is none that can be told from a deleted one.
  const user = uid === undefined ? '{}' : `{token: ${namespace}.${name}.${uid}}`;
  return `apiVersion: v1\nkind: Config\nusers:\n- name: calico\n  user: ${user}\n`;
}

/** As the plugin on the node asks: over the host's way to the API, with the token in its kubeconfig. */
export function askFrom(world: World, nodeNamed: () => TwinNode | undefined): AskApiServer {
  return (kubeconfig) => {
    const node = nodeNamed();
    const verdict = node === undefined ? NOT_ASKED : ask(world, node, kubeconfig);
    if (!verdict.ok) {
      const message = verdict.failure === 'unauthorized' ? UNAUTHORIZED : verdict.message;
      return { ok: false, message, because: verdict.because };
    }
    const podCidr = world.store.get('Node', undefined, node?.name ?? '')?.spec.podCIDR;
    return { ok: true, podCidr };
  };
}

const UNAUTHORIZED = 'connection is unauthorized: Unauthorized';
const NOT_ASKED: ApiVerdict = { ok: true };

function ask(world: World, node: TwinNode, kubeconfig: string): ApiVerdict {
  // The kubeconfig names the Service's address, as the pod that wrote it has it in its environment.
  const path = fabricOf(world).hostReachesApiService(node);
  if (!path.ok)
    return { ok: false, failure: 'unreachable', message: path.message, because: path.because };
  if (!world.api.healthy()) {
    const message = 'connect: connection refused';
    return { ok: false, failure: 'unreachable', message, because: [] };
  }
  const token = tokenIn(kubeconfig, world.kernel.now());
  return token === undefined ? { ok: true } : world.api.check({ kind: 'token', token });
}

/** Renewed long before its day is over, so that its age never counts. */
function tokenIn(kubeconfig: string, now: number): ServiceAccountToken | undefined {
  const text = /token: ([^}\s]+)/.exec(kubeconfig)?.[1];
  const [namespace, serviceAccount, serviceAccountUid] = text?.split('.') ?? [];
  if (namespace === undefined || serviceAccount === undefined || serviceAccountUid === undefined)
    return undefined;
  return { namespace, serviceAccount, serviceAccountUid, podUid: '', issuedAtMs: now, because: [] };
}
