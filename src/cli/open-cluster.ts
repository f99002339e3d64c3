/** The cluster that the flags and the user's settings name; closed whatever happens. */
import { openKubernetes, type OpenedKubernetes } from '../drivers/kubernetes/open.ts';
import type { CliContext } from './context.ts';
import type { ClusterFlags } from './flags.ts';

export async function withCluster<T>(
  context: CliContext,
  { kubeconfig, context: name, as }: ClusterFlags,
  work: (cluster: OpenedKubernetes, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const cluster = await openKubernetes({
    environment: context.process.env,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(name === undefined ? {} : { context: name }),
    ...(as === undefined ? {} : { as }),
  });
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    return await work(cluster, stopping.signal);
  } finally {
    process.removeListener('SIGINT', stop);
    process.removeListener('SIGTERM', stop);
    await cluster.close();
  }
}
