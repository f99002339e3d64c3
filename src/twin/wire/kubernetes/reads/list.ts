/**
 * Lists with the meaning of resourceVersion, resourceVersionMatch, limit and continue that the API
 * gives them (https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list;
 * KK staging/src/k8s.io/apimachinery/pkg/apis/meta/internalversion/validation).
 */
import type { KubeObject } from '../../../../model/kubernetes.ts';
import { ApiError, badRequest, expired } from '../api-error.ts';
import { type ChangeHistory, versionOf } from '../../../store/change-history.ts';
import { keyOf, type Ordered, ordered, type WireObjects } from './objects.ts';
import type { Resource } from '../../../api/served-resources.ts';
import { selectedNode, type Selection } from './selection.ts';

export interface ListRequest {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly query: URLSearchParams;
  readonly selection: Selection;
}

export interface Listed {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  readonly continueToken?: string;
  readonly remaining?: number;
}

interface Continuation {
  readonly version: number;
  readonly start: string;
}

const TOO_OLD_CONTINUE =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.';
const TOO_OLD_VERSION = 'The resourceVersion for the provided list is too old.';

export class Lister {
  private readonly objects: WireObjects;
  private readonly history: ChangeHistory;

  constructor(objects: WireObjects, history: ChangeHistory) {
    this.objects = objects;
    this.history = history;
  }

  list(request: ListRequest): Listed {
    const { query, resource, namespace } = request;
    const limit = wholeNumber(query.get('limit'), 'limit') ?? 0;
    const token = query.get('continue') ?? '';
    checkVersionOptions(query);
    if (token !== '') {
      const { version, start } = continuationOf(token);
      return this.page(request, this.stateAt(request, version, TOO_OLD_CONTINUE), {
        limit,
        version,
        start,
      });
    }
    const asked = wholeNumber(query.get('resourceVersion'), 'resourceVersion') ?? 0;
    const present = this.objects.versionOf(resource);
    if (asked > present) throw tooLarge(asked, present);
    const isExact =
      query.get('resourceVersionMatch') === 'Exact' ||
      (limit > 0 && asked > 0 && query.get('resourceVersionMatch') === null);
    if (isExact) {
      const items = this.stateAt(request, asked, TOO_OLD_VERSION);
      return this.page(request, items, { limit, version: asked, start: '' });
    }
    return this.page(request, this.present(request, namespace, resource), {
      limit,
      version: present,
      start: '',
    });
  }

  private present(
    { selection }: ListRequest,
    namespace: string | undefined,
    resource: Resource,
  ): Ordered {
    const node = selectedNode(resource, selection);
    if (node === undefined) return this.objects.list(resource, namespace);
    return ordered(
      this.objects.world.store
        .podsOn(node)
        .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace),
    );
  }

  /** The state of then: the state of now with what was changed since undone, newest first. */
  private stateAt({ resource, namespace }: ListRequest, version: number, message: string): Ordered {
    const now = this.objects.list(resource, namespace);
    if (version >= this.objects.versionOf(resource)) return now;
    const history = this.history.of(resource.storedKind);
    const first = history.positionAfter(version);
    if (first === undefined) throw expired(message);
    const isNewer = now.items.some((object) => versionOf(object) > version);
    if (first === history.end && !isNewer) return now;
    const byKey = new Map(now.items.map((object) => [keyOf(object), object]));
    for (let position = history.end - 1; position >= first; position -= 1) {
      const entry = history.at(position);
      if (entry === undefined) throw expired(message);
      if (namespace !== undefined && entry.object.metadata.namespace !== namespace) continue;
      const key = keyOf(entry.object);
      if (entry.old === undefined) byKey.delete(key);
      else byKey.set(key, entry.old);
    }
    return ordered([...byKey.values()]);
  }

  private page(
    { selection }: ListRequest,
    all: Ordered,
    { limit, version, start }: Continuation & { readonly limit: number },
  ): Listed {
    const resourceVersion = String(version);
    const begin = start === '' ? 0 : positionAfter(all.keys, start);
    const most = limit > 0 ? limit : Infinity;
    const items: KubeObject[] = [];
    let at = begin;
    for (; at < all.items.length && items.length <= most; at += 1) {
      const object = all.items[at];
      if (object !== undefined && (selection.isAll || selection.matches(object)))
        items.push(object);
    }
    // One more than asked for was looked for, to know whether there is more.
    if (items.length <= most) return { items, resourceVersion };
    items.pop();
    const last = items.at(-1);
    return {
      items,
      resourceVersion,
      continueToken: tokenOf({ version, start: last === undefined ? '' : keyOf(last) }),
      // Unknown where a selector has to look at each (KK pkg/storage/etcd3/store.go).
      ...(selection.isAll ? { remaining: all.items.length - begin - items.length } : {}),
    };
  }
}

/** The first position whose key is greater. */
function positionAfter(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? '') <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function checkVersionOptions(query: URLSearchParams): void {
  const match = query.get('resourceVersionMatch');
  if (match === null || match === '') return;
  const version = query.get('resourceVersion') ?? '';
  if (query.get('continue') !== null && query.get('continue') !== '') {
    throw invalidOptions('resourceVersionMatch is forbidden when continue is provided');
  }
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    throw invalidOptions(
      `Unsupported value: "${match}": supported values: "Exact", "NotOlderThan", ""`,
    );
  }
  if (version === '')
    throw invalidOptions('resourceVersionMatch is forbidden unless resourceVersion is provided');
  if (match === 'Exact' && version === '0')
    throw invalidOptions('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
}

function invalidOptions(detail: string): ApiError {
  const message = `ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: ${detail}`;
  return new ApiError(422, 'Invalid', message, { group: 'meta.k8s.io', kind: 'ListOptions' });
}

/** KK apiserver/pkg/storage/errors.go NewTooLargeResourceVersionError. */
function tooLarge(asked: number, present: number): ApiError {
  const message = `Timeout: Too large resource version: ${asked}, current: ${present}`;
  return new ApiError(504, 'Timeout', message, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

export function wholeNumber(text: string | null, name: string): number | undefined {
  if (text === null || text === '') return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw badRequest(
    name === 'resourceVersion'
      ? `invalid resource version: Invalid value: "${text}"`
      : `unable to parse ${name}: strconv.ParseInt: parsing "${text}": invalid syntax`,
  );
}

function tokenOf({ version, start }: Continuation): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start })).toString(
    'base64url',
  );
}

function continuationOf(token: string): Continuation {
  try {
    const read: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (typeof read === 'object' && read !== null && 'rv' in read && 'start' in read) {
      const { rv, start } = read;
      if (typeof rv === 'number' && typeof start === 'string') return { version: rv, start };
    }
  } catch {
    // What is no JSON is no token of ours either.
  }
  throw badRequest('continue key is not valid: not a token of this server');
}
