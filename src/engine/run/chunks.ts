/**
 * Bytes kept in ConfigMaps, compressed, in as many as it takes: a ConfigMap holds no more than a
 * mebibyte (kubernetes:pkg/apis/core/validation/validation.go, ValidateConfigMap). Written once and
 * read back; what does not read back as it was written counts as not there.
 */
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import { OWN_LABELS, OWN_NAMESPACE, ROLE_LABEL } from '../../model/own-objects.ts';
import type { KubernetesPort, ObjectAddress } from '../../ports/index.ts';

/** Well below the limit: the object has names and labels besides. */
const CHUNK_BYTES = 900 * 1024;
const CHUNKS_MAX = 8;
const KEY = 'part.gz';

interface ChunkObject extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

export interface Kept {
  /** `regauge-plan-1a2b3c4d`; parts after the first have a number behind. */
  readonly name: string;
  /** What the object is for: `plan`, `backup`. */
  readonly role: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** `refused` when it is too large for the cluster to hold. */
export async function keep(
  kubernetes: KubernetesPort,
  { name, role, annotations }: Kept,
  text: string,
): Promise<void> {
  const bytes = gzipSync(text, { level: 9 });
  const count = Math.max(1, Math.ceil(bytes.length / CHUNK_BYTES));
  if (count > CHUNKS_MAX) {
    throw new RegaugeError(
      'refused',
      `${name} takes ${bytes.length} bytes compressed, and no more than ${CHUNKS_MAX * CHUNK_BYTES} are kept in a cluster`,
    );
  }
  const digest = createHash('sha256').update(bytes).digest('hex');
  // The first part last: it says how many there are, and is found only when they are.
  for (let index = count - 1; index >= 0; index -= 1) {
    const part = bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    await put(kubernetes, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: partName(name, index),
        namespace: OWN_NAMESPACE,
        labels: { ...OWN_LABELS, [ROLE_LABEL]: role },
        ...(annotations === undefined ? {} : { annotations }),
      },
      data: { parts: String(count), digest },
      binaryData: { [KEY]: part.toString('base64') },
    });
  }
}

/** Undefined when it is not there, or not whole. */
export async function kept(
  kubernetes: Pick<KubernetesPort, 'get'>,
  name: string,
): Promise<string | undefined> {
  const first = await kubernetes.get<ChunkObject>(addressOf(partName(name, 0)));
  const count = Number(first?.data?.['parts']);
  if (first === undefined || !(count >= 1 && count <= CHUNKS_MAX)) return undefined;
  const parts = [bytesOf(first)];
  for (let index = 1; index < count; index += 1) {
    parts.push(bytesOf(await kubernetes.get<ChunkObject>(addressOf(partName(name, index)))));
  }
  const bytes = Buffer.concat(parts);
  const digest = createHash('sha256').update(bytes).digest('hex');
  return digest === first.data?.['digest'] ? gunzipSync(bytes).toString('utf8') : undefined;
}

async function put(kubernetes: KubernetesPort, object: ChunkObject): Promise<void> {
  const address = addressOf(object.metadata.name);
  const found = await kubernetes.get<ChunkObject>(address);
  if (found === undefined) await kubernetes.create(object);
  else if (found.data?.['digest'] !== object.data?.['digest'] || isOtherPart(found, object)) {
    await kubernetes.replace({
      ...found,
      ...object,
      metadata: { ...found.metadata, ...object.metadata },
    });
  }
}

function isOtherPart(found: ChunkObject, wanted: ChunkObject): boolean {
  return found.binaryData?.[KEY] !== wanted.binaryData?.[KEY];
}

function bytesOf(object: ChunkObject | undefined): Buffer {
  return Buffer.from(object?.binaryData?.[KEY] ?? '', 'base64');
}

function partName(name: string, index: number): string {
  return index === 0 ? name : `${name}-${index + 1}`;
}

function addressOf(name: string): ObjectAddress {
  return { apiVersion: 'v1', kind: 'ConfigMap', namespace: OWN_NAMESPACE, name };
}
