/**
 * A call that changes something, in a few words for the audit log: what it is done to, never with
 * what. Values, patches and files may hold secrets, so none of them is ever looked at.
 */
import type { Ports } from '../../ports/index.ts';

export interface CallSummary {
  /** `kubernetes.patch`. */
  readonly call: string;
  /** `Node talos-wrk-01`, `talos-wrk-01:/etc/cni/net.d/05-cilium.conflist`. */
  readonly subject: string;
}

export function summaryOf(
  port: keyof Ports,
  method: string,
  args: readonly unknown[],
): CallSummary {
  const [first, second] = args;
  return { call: `${port}.${method}`, subject: subjectOf(port, first, second) };
}

function subjectOf(port: keyof Ports, first: unknown, second: unknown): string {
  if (port === 'prober') return 'probe pods';
  if (Array.isArray(second) && typeof second[0] === 'string') {
    const more = second.length > 1 ? ` and ${second.length - 1} more` : '';
    return `${String(first)}:${second[0]}${more}`;
  }
  if (typeof first === 'object' && first !== null) return objectSubject(first);
  const words = [first, second].filter((word): word is string => typeof word === 'string');
  if (port === 'nodeHost')
    return words.length > 1 && words[1]?.startsWith('/') === true
      ? words.join(':')
      : (words[0] ?? '');
  return words.join('/');
}

function objectSubject(value: object): string {
  const { kind, name, namespace, metadata, release } = value as Readonly<
    Partial<Record<'kind' | 'name' | 'namespace' | 'metadata' | 'release', unknown>>
  >;
  if (typeof release === 'string') return `release ${String(namespace)}/${release}`;
  if (typeof metadata === 'object' && metadata !== null) {
    return `${String(kind)} ${placeOf(metadata as Partial<Record<'name' | 'namespace', unknown>>)}`;
  }
  return `${String(kind)} ${placeOf({ name, namespace })}`;
}

function placeOf({ name, namespace }: Partial<Record<'name' | 'namespace', unknown>>): string {
  return typeof namespace === 'string' ? `${namespace}/${String(name)}` : String(name);
}
