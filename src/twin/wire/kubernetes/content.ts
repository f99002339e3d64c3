/** Bodies and media types: what was sent, and in which form an answer is wanted. */
import { parse as parseYaml } from 'yaml';
import { ApiError, badRequest, unsupportedMediaType } from './api-error.ts';
import type { IncludeObject } from './tables/printers.ts';
import { PROTOBUF, readProtobuf } from './protobuf.ts';
import { isMap, type Tree } from '../../../base/json-tree.ts';

const JSON_TYPE = 'application/json';
const YAML_TYPES = new Set(['application/yaml', 'application/apply-patch+yaml', 'text/yaml']);
const PATCH_TYPES = {
  'application/apply-patch+yaml': 'apply',
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
} as const;
export type PatchType = (typeof PATCH_TYPES)[keyof typeof PATCH_TYPES];

/** Larger ones are refused, as by the API server (KK apiserver limits.MaxRequestBodyBytes). */
const BODY_LIMIT = 3 * 1024 * 1024;

async function readText(request: Request): Promise<string> {
  const text = await request.text();
  if (text.length <= BODY_LIMIT) return text;
  const message = `Request entity too large: limit is ${BODY_LIMIT}`;
  throw new ApiError(413, 'RequestEntityTooLarge', message);
}

function mediaType(request: Request): string {
  return (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The object that was sent; an empty body is an empty object. */
export async function readObject(request: Request): Promise<Tree> {
  const type = mediaType(request);
  if (type === PROTOBUF) {
    const bytes = new Uint8Array(await request.arrayBuffer());
    return bytes.length === 0 ? {} : readProtobuf(bytes);
  }
  const text = await readText(request);
  if (text === '') return {};
  if (type !== '' && type !== JSON_TYPE && !YAML_TYPES.has(type))
    throw unsupportedMediaType([JSON_TYPE, 'application/yaml']);
  const value = YAML_TYPES.has(type) ? readYaml(text) : readJson(text);
  if (!isMap(value)) throw badRequest('the body of the request is no object');
  return value;
}

export function patchTypeOf(request: Request): PatchType {
  const type = mediaType(request);
  const found = Object.entries(PATCH_TYPES).find(([name]) => name === type)?.[1];
  if (found === undefined) throw unsupportedMediaType(Object.keys(PATCH_TYPES));
  return found;
}

export async function readPatch(request: Request, type: PatchType): Promise<unknown> {
  const text = await readText(request);
  return type === 'apply' ? readYaml(text) : readJson(text);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(`error decoding the body: ${error instanceof Error ? error.message : ''}`);
  }
}

function readYaml(text: string): unknown {
  try {
    // Go's YAML reader, which the API server uses, knows the booleans of YAML 1.1.
    return parseYaml(text, { version: '1.1', merge: false });
  } catch (error) {
    throw badRequest(`error parsing YAML: ${error instanceof Error ? error.message : ''}`);
  }
}

export type Form =
  | { readonly kind: 'object' }
  | { readonly kind: 'table'; readonly include: IncludeObject }
  | { readonly kind: 'metadata' };

/** The first of the forms named that can be given. */
export function formOf(request: Request, query: URLSearchParams): Form {
  const accepted = request.headers.get('accept') ?? '';
  for (const each of accepted.split(',')) {
    const [type = '', ...parameters] = each.split(';').map((part) => part.trim());
    if (type === '*/*' || type === 'application/*') return { kind: 'object' };
    if (type !== JSON_TYPE) continue;
    const as = parameters.find((part) => part.startsWith('as='))?.slice(3);
    if (as === undefined) return { kind: 'object' };
    if (!parameters.includes('g=meta.k8s.io')) continue;
    if (!parameters.includes('v=v1')) continue;
    if (as === 'Table') return { kind: 'table', include: includeOf(query) };
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList')
      return { kind: 'metadata' };
  }
  if (accepted === '' || accepted.includes('yaml')) return { kind: 'object' };
  const message = `only the following media types are accepted: ${JSON_TYPE}`;
  throw new ApiError(406, 'NotAcceptable', message);
}

function includeOf(query: URLSearchParams): IncludeObject {
  const asked = query.get('includeObject');
  return asked === 'None' || asked === 'Object' ? asked : 'Metadata';
}

/** `v2` or `v2beta1` where aggregated discovery is asked for. */
export function aggregatedVersion(request: Request): string | undefined {
  for (const each of (request.headers.get('accept') ?? '').split(',')) {
    if (!each.includes('as=APIGroupDiscoveryList')) continue;
    const version = /v=(v2(?:beta1)?)(?:;|$)/.exec(each)?.[1];
    if (version !== undefined) return version;
  }
  return undefined;
}

export function json(body: string, status = 200, type = JSON_TYPE): Response {
  return new Response(body, { status, headers: { 'content-type': type } });
}
