/**
 * Probes: what an agent is told (its config, the same for all), which paths it measures and how
 * often, and what it prints. Agents, the adapter that reads them and the twin that plays them share it.
 */

export type ProbeEnd = 'pod' | 'host';

/** What a path is asked for. */
export type ProbeTarget =
  | 'pod'
  | 'host'
  | 'nodeport'
  | 'service'
  | 'apiserver'
  | 'dns-internal'
  | 'dns-external'
  | 'egress';

/**
 * `tcp-held`: pings on one connection that stays; `tcp-new`: a connection and no more; `http`: a
 * connection, a request and 4 KiB back (so its segments are of full size, which TCP sends with DF);
 * `udp-full`: a datagram of the route's MTU, which Linux sends with DF until it learns of a smaller one.
 */
export const PROBE_METHODS = ['udp', 'udp-full', 'tcp-held', 'tcp-new', 'http', 'dns'] as const;
export type ProbeMethod = (typeof PROBE_METHODS)[number];

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** One document for all agents; each takes its part by its node's name. */
export interface ProbeConfig {
  readonly version: 1;
  /** UDP and TCP, of both agents of a node. */
  readonly port: number;
  readonly nodes: readonly { readonly name: string; readonly address: string }[];
  /** The Service over the agents of the pod network; null: not probed. */
  readonly service: (HostPort & { readonly nodePort: number | null }) | null;
  readonly apiServer: HostPort | null;
  readonly egress: HostPort | null;
  /** A name outside the cluster, without a dot at its end; null: not asked. */
  readonly externalName: string | null;
  /** Asked of pods by `verify`: a pod that a policy closes. */
  readonly closed?: HostPort;
}

/** One line of an agent's log: all totals since its start, so that the last line tells everything. */
export interface ProbeLine {
  readonly probe: 1;
  readonly end: ProbeEnd;
  readonly node: string;
  /** Another one for each start of an agent. */
  readonly boot: string;
  /** Milliseconds since the agent's start; all other times are on the same clock. */
  readonly upMs: number;
  /** The agent's own address. */
  readonly address: string;
  /** For how long it stood still since its start, its node having no processor for it. */
  readonly stoodMs?: number;
  readonly paths: readonly ProbeLinePath[];
}

export interface ProbeLinePath {
  readonly kind: ProbeTarget | 'closed';
  /** The node at the other end; the agent's own where there is none. */
  readonly to: string;
  readonly method: ProbeMethod;
  /** Where packets go; of `pod`, the peer's address, and another one begins a path of its own. */
  readonly address: string;
  readonly periodMs: number;
  readonly sent: number;
  readonly lost: number;
  /** Neither answered in time nor lost, and not among those sent: one of the ends stood still. */
  readonly unknown?: number;
  readonly longestMs: number;
  /** The newest gaps that are over. */
  readonly gaps: readonly (readonly [number, number])[];
  readonly failing?: { readonly sinceMs: number; readonly message: string };
  /** The agent's address as the other end saw it. */
  readonly source?: string;
}

/** The line, or undefined for anything else that a container prints. */
export function parseProbeLine(text: string): ProbeLine | undefined {
  if (!text.startsWith('{"probe":1,')) return undefined;
  try {
    // Written by our own agent, which is told by its first field; a cut line does not parse.
    return JSON.parse(text) as ProbeLine;
  } catch {
    return undefined;
  }
}
