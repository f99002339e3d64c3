/**
 * What a Helm leaves that is killed between its last object and its last word: the objects are there,
 * and the record says that it is still at it.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { KubeObject } from '../../../src/model/kubernetes.ts';
import type { HelmPort, KubernetesPort, ReleaseRequest } from '../../../src/ports/index.ts';

export interface Cluster {
  readonly port: HelmPort;
  readonly kubernetes: KubernetesPort;
}

export async function breakOff(
  { port, kubernetes }: Cluster,
  status: string,
  request: ReleaseRequest,
): Promise<void> {
  const before = await port.status(request.release, request.namespace);
  const { revision } = await port.upgradeOrInstall(request);
  await restate(kubernetes, request, revision, status);
  // What was deployed is superseded only by what has ended.
  if (before !== undefined) await restate(kubernetes, request, before.revision, before.status);
}

async function restate(
  kubernetes: KubernetesPort,
  { release, namespace }: ReleaseRequest,
  revision: number,
  status: string,
): Promise<void> {
  const name = `sh.helm.release.v1.${release}.v${revision}`;
  const address = { apiVersion: 'v1', kind: 'Secret', namespace, name };
  const secret = await kubernetes.get<KubeObject & { readonly data: { readonly release: string } }>(
    address,
  );
  if (secret === undefined) throw new Error(`there is no record ${name}`);
  const record = unpacked(secret.data.release);
  const stated = { ...record, info: { ...record.info, status } };
  const data = { release: packed(stated) };
  await kubernetes.patch(address, { data, metadata: { labels: { status } } });
}

interface Record {
  readonly info: object;
}

/** Base64 of the API, base64 of Helm, gzip. */
function unpacked(text: string): Record {
  const inner = Buffer.from(Buffer.from(text, 'base64').toString('latin1'), 'base64');
  return JSON.parse(gunzipSync(inner).toString('utf8')) as Record; // as Helm writes it
}

function packed(record: object): string {
  const inner = gzipSync(JSON.stringify(record)).toString('base64');
  return Buffer.from(inner, 'latin1').toString('base64');
}
