/**
 * The senders of an agent: one for each path and method that is wanted now. Those whose address stays
 * go on; one whose peer has another address ends, and what it measured is still told for a while.
 */
import type { HostPort, ProbeConfig } from '../model/probe.ts';
import { isShared, methodsOf, type PlannedMethod, type PlannedPath } from '../model/probe-paths.ts';
import { PingSender } from './datagram.ts';
import { nameSender, Resolver, type ResolvConf } from './dns.ts';
import {
  HeldConnection,
  HTTP_EXCHANGE,
  NewConnections,
  type Sender,
  type SenderOptions,
} from './senders.ts';
import type { Settings } from './settings.ts';
import { Track } from './track.ts';

/** Of paths that have ended (another address took their place), the newest are still told. */
const ENDED_MAX = 8;

export interface SenderParts {
  readonly settings: Settings;
  readonly resolv: ResolvConf;
  readonly boot: number;
  readonly tickMs: number;
  /** Bytes of a datagram of full size, without its headers. */
  readonly payload: number;
  /** Where the node's pod agent and its host are, as far as is known. */
  podOn(node: string): string | undefined;
  hostOf(node: string): string | undefined;
}

interface Wanted {
  readonly path: PlannedPath;
  readonly method: PlannedMethod;
  readonly target: HostPort;
  readonly externalName: string | null;
}

export class SenderSet {
  private readonly parts: SenderParts;
  /** By what they measure. */
  private readonly senders = new Map<string, Sender>();
  private inOrder: readonly Sender[] = [];
  private ended: Track[] = [];
  private resolver: Resolver | undefined;

  constructor(parts: SenderParts) {
    this.parts = parts;
  }

  all(): readonly Sender[] {
    return this.inOrder;
  }

  /** Those that go on last. */
  used(): readonly Track[] {
    const going = [...this.senders.values()].map(({ track }) => track);
    return [...this.ended, ...going].filter(({ hasSent }) => hasSent);
  }

  close(): void {
    for (const sender of this.senders.values()) sender.close();
    this.resolver?.close();
  }

  /** Senders for the paths as they are to be now; those that stay go on. */
  plan(config: ProbeConfig, paths: readonly PlannedPath[]): void {
    const { end } = this.parts.settings;
    const wanted = new Set<string>();
    for (const path of paths) {
      if (path.end !== end) continue;
      const target = this.targetOf(path, config);
      for (const method of methodsOf(path, config.nodes.length)) {
        const place = `${path.kind} ${path.to} ${method.method}`;
        // Nobody knows where it is now: the address it had goes on being asked for.
        const key = target === undefined ? this.keyAt(place) : `${place} ${target.host}`;
        if (key === undefined) continue;
        wanted.add(key);
        if (target !== undefined && !this.senders.has(key))
          this.add(key, { path, method, target, externalName: config.externalName });
      }
    }
    if (config.closed !== undefined && end === 'pod') wanted.add(this.askClosed(config.closed));
    const now = performance.now();
    for (const [key, sender] of this.senders) if (!wanted.has(key)) this.drop(key, sender, now);
    this.inOrder = [...this.senders.values()];
  }

  /** Once a second: whether it is reached, and no more, is of interest. */
  private askClosed(target: HostPort): string {
    const key = `closed ${target.host}`;
    if (this.senders.has(key)) return key;
    const periodMs = 1_000;
    const { node } = this.parts.settings;
    const track = new Track({
      kind: 'closed',
      to: node,
      method: 'tcp-new',
      address: target.host,
      periodMs,
    });
    const every = periodMs / this.parts.tickMs;
    const options = { track, every, phase: phaseOf(node) % every, isShared: true, target };
    this.senders.set(key, new NewConnections(options));
    return key;
  }

  private keyAt(place: string): string | undefined {
    return [...this.senders.keys()].find((key) => key.startsWith(`${place} `));
  }

  private targetOf({ kind, to }: PlannedPath, config: ProbeConfig): HostPort | undefined {
    const { port, service, apiServer, egress, externalName } = config;
    switch (kind) {
      case 'pod':
        return at(this.parts.podOn(to), port);
      case 'host':
        return at(this.parts.hostOf(to), port);
      case 'service':
        return service ?? undefined;
      case 'nodeport': {
        const nodePort = service?.nodePort ?? null;
        return nodePort === null ? undefined : at(this.parts.hostOf(to), nodePort);
      }
      case 'apiserver':
        return apiServer ?? undefined;
      case 'egress':
        return egress ?? undefined;
      case 'dns-internal':
        return this.parts.resolv.domain === undefined
          ? undefined
          : at(this.parts.resolv.server, 53);
      case 'dns-external':
        return externalName === null ? undefined : at(this.parts.resolv.server, 53);
    }
  }

  private add(key: string, wanted: Wanted): void {
    const { target } = wanted;
    const { kind, to } = wanted.path;
    const { method, periodMs } = wanted.method;
    const address = kind === 'pod' ? target.host : '';
    const every = Math.max(1, Math.round(periodMs / this.parts.tickMs));
    const track = new Track({ kind, to, method, address, periodMs: every * this.parts.tickMs });
    const options: SenderOptions = {
      track,
      every,
      // By the node: what all share is spread over the period, and what is slow is done in the same
      // ticks of an agent, since what has just run runs faster.
      phase: phaseOf(this.parts.settings.node) % every,
      isShared: isShared(kind),
      target,
    };
    this.senders.set(key, this.senderOf(wanted, options));
  }

  private senderOf({ path, externalName }: Wanted, options: SenderOptions): Sender {
    const { track, target } = options;
    switch (track.identity.method) {
      case 'udp':
        return new PingSender(options, this.own());
      case 'udp-full':
        return new PingSender(options, this.own(), this.parts.payload);
      case 'tcp-held':
        return new HeldConnection(options);
      case 'tcp-new':
        return new NewConnections(options);
      case 'http':
        return new NewConnections(options, HTTP_EXCHANGE);
      case 'dns': {
        const resolver = (this.resolver ??= new Resolver(target.host));
        const name =
          path.kind === 'dns-internal'
            ? `kubernetes.default.svc.${this.parts.resolv.domain ?? 'cluster.local'}`
            : (externalName ?? '');
        return nameSender({ ...options, resolver, name });
      }
    }
  }

  private own(): { readonly address: string; readonly boot: number } {
    return { address: this.parts.settings.address, boot: this.parts.boot };
  }

  private drop(key: string, sender: Sender, now: number): void {
    this.senders.delete(key);
    sender.close();
    sender.track.end(now);
    if (sender.track.hasSent) this.ended = [...this.ended.slice(1 - ENDED_MAX), sender.track];
  }
}

function at(host: string | undefined, port: number): HostPort | undefined {
  return host === undefined || host === '' ? undefined : { host, port };
}

/** A number of its own for each text. */
export function phaseOf(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index += 1)
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) >>> 0;
  return hash;
}
