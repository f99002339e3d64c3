/** Which objects a kubectl command is about, looked up through the port. */
import { RegaugeError } from '../../base/errors.ts';
import type { ObjectAddress, Ports } from '../../ports/index.ts';
import { kindOf } from './kinds.ts';

interface Named {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

interface Selection {
  readonly kind: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly selector?: string;
  readonly onNode?: string;
}

/** One that was there when the command began; another of its name is not it. */
export type Found = ObjectAddress & { readonly uid: string | undefined };

export function addressOf({ kind, namespace, name }: Named): ObjectAddress {
  const known = kindOf(kind);
  const place = known.clusterScoped === true ? {} : { namespace: namespace ?? 'default' };
  return { apiVersion: known.apiVersion, kind: known.kind, name, ...place };
}

export async function isThere({ kubernetes }: Ports, address: Found): Promise<boolean> {
  const now = await kubernetes.get(address);
  return now !== undefined && now.metadata.uid === address.uid;
}

/** Throws `not-found` for a name that nothing has; a selector may choose nothing. */
export async function matching(
  { kubernetes }: Ports,
  selection: Selection,
): Promise<readonly Found[]> {
  const known = kindOf(selection.kind);
  if (selection.name !== undefined) {
    const address = addressOf({ ...selection, name: selection.name });
    const object = await kubernetes.get(address);
    if (object === undefined)
      throw new RegaugeError(
        'not-found',
        `Error from server (NotFound): ${selection.kind} "${selection.name}" not found`,
      );
    return [{ ...address, uid: object.metadata.uid }];
  }
  const objects = await kubernetes.list(known.apiVersion, known.kind, {
    ...(known.clusterScoped === true ? {} : { namespace: selection.namespace ?? 'default' }),
    ...(selection.onNode === undefined ? {} : { nodeName: selection.onNode }),
    labelSelector: selectorOf(selection.selector ?? ''),
  });
  return objects.map(({ metadata }) => ({
    apiVersion: known.apiVersion,
    kind: known.kind,
    name: metadata.name,
    uid: metadata.uid,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  }));
}

/** `a=b,c=d`; equality is all that runbooks were seen to use. */
function selectorOf(text: string): Readonly<Record<string, string>> {
  const pairs = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [key = '', value] = pair.split(/==?/, 2);
      if (value === undefined || key.endsWith('!'))
        throw new RegaugeError('refused', `a selector of equalities is understood, not ${pair}`);
      return [key, value];
    }),
  );
}
