/**
 * What Hubble tells of flows, one JSON value a line (`hubble observe -o jsonpb`), as far as a policy
 * verdict goes. Source: cilium:api/v1/flow/flow.proto (names as in the .proto), cilium#14785 (AUDIT).
 */

export interface FlowEnd {
  readonly namespace?: string;
  readonly pod_name?: string;
  /** `reserved:world`, `reserved:host`, `k8s:app=web`. */
  readonly labels?: readonly string[];
}

export interface HubbleFlow {
  readonly verdict?: string;
  readonly IP?: { readonly source?: string; readonly destination?: string };
  readonly l4?: Readonly<Record<string, { readonly destination_port?: number }>>;
  readonly source?: FlowEnd;
  readonly destination?: FlowEnd;
  readonly traffic_direction?: string;
}

/** Arguments for the flows that were let pass only because policies are audited, newest last. */
export function auditedFlowsCommand(seconds: number, last: number): readonly string[] {
  const since = ['--since', `${seconds}s`];
  return ['hubble', 'observe', '--verdict', 'AUDIT', ...since, '--last', `${last}`, '-o', 'jsonpb'];
}

/** Lines that are no flow (lost events, a status) are left out. */
export function parseFlows(text: string): readonly HubbleFlow[] {
  return text.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    try {
      // Any JSON value: each field is asked for before it is used.
      const { flow } = JSON.parse(line) as { readonly flow?: HubbleFlow | null };
      return flow === undefined || flow === null ? [] : [flow];
    } catch {
      return [];
    }
  });
}

/** The pod whose policies judged the flow: where it ends on the way in, where it begins on the way out. */
export function judgedEnd({ traffic_direction: direction, source, destination }: HubbleFlow) {
  return direction === 'EGRESS' ? source : destination;
}

/** `a/web → kube-system/coredns-x:53 UDP`. */
export function showFlow({ source, destination, IP, l4 = {} }: HubbleFlow): string {
  const [protocol, parts] = Object.entries(l4)[0] ?? [];
  const port = parts?.destination_port === undefined ? '' : `:${parts.destination_port}`;
  const from = showEnd(source, IP?.source);
  const to = showEnd(destination, IP?.destination);
  return `${from} → ${to}${port}${protocol === undefined ? '' : ` ${protocol}`}`;
}

function showEnd(end: FlowEnd | undefined, address: string | undefined): string {
  if (end?.pod_name !== undefined && end.pod_name !== '')
    return `${end.namespace ?? ''}/${end.pod_name}`;
  const reserved = end?.labels?.find((label) => label.startsWith('reserved:'));
  return reserved?.slice('reserved:'.length) ?? address ?? 'unknown';
}
