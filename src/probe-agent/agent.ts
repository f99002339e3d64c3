/**
 * The agent of one end of a node. It wakes ten times a second, reads what has come, echoes, sends,
 * and sleeps without listening: what arrives meanwhile waits in the kernel. A wake-up costs more than
 * a packet, and nobody here measures how long an answer takes, only whether it comes.
 */
import type { Server } from 'node:net';
import type { HostPort, ProbeConfig, ProbeLine } from '../model/probe.ts';
import {
  isShared,
  methodsOf,
  peersAt,
  type PlannedMethod,
  type PlannedPath,
  plannedPathsAt,
  ringOf,
} from '../model/probe-paths.ts';
import { Datagrams } from './datagram.ts';
import { nameSender, parseResolvConf, Resolver, type ResolvConf } from './dns.ts';
import { HostDirectory, PodDirectory } from './peers.ts';
import { createEchoServer } from './server.ts';
import {
  HeldConnection,
  NewConnections,
  onlyConnect,
  request,
  type Sender,
  type SenderOptions,
} from './senders.ts';
import { ConfigFile, fullPayload, readText, type Settings } from './settings.ts';
import { Track } from './track.ts';

/** The host's agent mostly echoes, and wakes half as often: what it sends itself is the slow part of a class. */
const TICK_MS = { pod: 100, host: 200 } as const;
/** A tick that comes later than this: the agent stood still, not the network. */
const STALL_MS = 150;
/** A line at least so often, so that silence is known from health. */
const LINE_EVERY_MS = 5_000;
const CONFIG_EVERY_MS = 10_000;
/** Of paths that have ended (another address took their place), the newest are still told. */
const ENDED_MAX = 8;
const PLACE = 0xffff;
const TURNS_MAX = 256;

export interface AgentOptions {
  readonly settings: Settings;
  readonly print: (line: string) => void;
  readonly failed: (error: Error) => void;
}

export class Agent {
  private readonly options: AgentOptions;
  private readonly boot = Math.floor(Math.random() * 0xffff_ffff);
  private readonly startedAt = performance.now();
  private readonly configFile: ConfigFile;
  private readonly resolv: ResolvConf;
  private readonly payload: number;
  private readonly tickMs: number;
  private config: ProbeConfig | undefined;
  private datagrams: Datagrams | undefined;
  private server: Server | undefined;
  private resolver: Resolver | undefined;
  private hostDirectory: HostDirectory | undefined;
  private podDirectory: PodDirectory | undefined;
  private peers: ReadonlyMap<string, string> = new Map();
  private peerNames: ReadonlyMap<string, string> = new Map();
  private hostAddress: string | undefined;
  private paths: readonly PlannedPath[] = [];
  /** By what they measure. */
  private senders = new Map<string, Sender>();
  private ended: Track[] = [];
  private tracks: (Track | undefined)[] = [];
  private ticks = 0;
  private lastTick = 0;
  private toldState = '';
  private isOver = false;
  private hasAccepted = false;
  private readonly nobody = new Int32Array(new SharedArrayBuffer(4));

  constructor(options: AgentOptions) {
    this.options = options;
    const { configPath, resolvConfPath, address } = options.settings;
    this.configFile = new ConfigFile(configPath);
    this.resolv = parseResolvConf(readText(resolvConfPath));
    this.payload = fullPayload(address);
    this.tickMs = TICK_MS[options.settings.end];
  }

  start(): void {
    this.lastTick = performance.now();
    this.sleep();
  }

  stop(): void {
    this.isOver = true;
    this.tell(performance.now());
    for (const sender of this.senders.values()) sender.close();
    this.resolver?.close();
    this.datagrams?.close();
    this.server?.close();
  }

  /**
   * Blocks to the next tick of the wall's clock, so that agents whose clocks agree are awake together.
   * The event loop then reads what has come before the tick sends.
   */
  private sleep(): void {
    if (this.isOver) return;
    Atomics.wait(this.nobody, 0, 0, this.tickMs - (Date.now() % this.tickMs));
    this.turn(() => {
      this.tick();
      // Once more, for what the tick has begun.
      this.turn(() => this.sleep());
    });
  }

  /** Turns of the event loop until nobody connects any more: libuv accepts one connection in each. */
  private turn(then: () => void, left = TURNS_MAX): void {
    this.hasAccepted = false;
    setImmediate(() => {
      if (this.hasAccepted && left > 0) this.turn(then, left - 1);
      else then();
    });
  }

  private tick(): void {
    const now = performance.now();
    if (now - this.lastTick > this.tickMs + STALL_MS) {
      for (const { track } of this.senders.values()) track.excuse(now);
    }
    this.lastTick = now;
    if (this.isTime(CONFIG_EVERY_MS) || this.config === undefined) this.readConfig();
    this.ticks += 1;
    if (this.datagrams === undefined) return;
    this.hostDirectory?.tick(now, this.peers);
    this.podDirectory?.tick(now, this.hostAddress);
    for (const sender of this.senders.values()) {
      sender.tick(now);
      const { track, every, phase } = sender;
      const isDue = (this.ticks + phase) % every === 0;
      if (isDue || (every > 1 && !sender.isShared && track.isWary(now))) sender.send(now);
    }
    if (this.isTime(1_000)) this.tellChanges(now);
  }

  /** Once in so many milliseconds of ticks. */
  private isTime(everyMs: number): boolean {
    return this.ticks % (everyMs / this.tickMs) === 0;
  }

  private readConfig(): void {
    const config = this.configFile.changed();
    if (config === undefined) return;
    const isFirst = this.config === undefined;
    this.config = config;
    if (isFirst) this.open(config.port);
    const { node } = this.options.settings;
    const addresses = new Map(config.nodes.map(({ name, address }) => [name, address]));
    const ring = ringOf(addresses.keys());
    const index = ring.indexOf(node);
    const names = index < 0 ? [] : peersAt(ring, index);
    this.paths = index < 0 ? [] : plannedPathsAt(ring, index);
    this.hostAddress = addresses.get(node);
    this.peers = new Map(names.map((name) => [name, addresses.get(name) ?? '']));
    this.peerNames = new Map([...this.peers].map(([name, address]) => [address, name]));
    this.plan();
  }

  private open(port: number): void {
    const { settings, failed } = this.options;
    const isIpv6 = settings.address.includes(':');
    const handlers = {
      pong: (index: number, number: number, source: string, now: number) => {
        const track = this.tracks[index];
        track?.answered(number, now);
        if (track !== undefined) track.source = source;
      },
      message: (kind: number, text: string, from: string) => this.heard(kind, text, from),
      failed,
    };
    const address = settings.address;
    const datagrams = new Datagrams({ address, port, boot: this.boot, isIpv6, handlers });
    datagrams.open(() => {
      this.datagrams = datagrams;
      const changed = (): void => this.plan();
      if (settings.onlyServes) return;
      if (settings.end === 'host') this.hostDirectory = new HostDirectory(datagrams, changed);
      else this.podDirectory = new PodDirectory(datagrams, address, changed);
      this.plan();
    });
    this.server = createEchoServer(settings.node, failed);
    this.server.on('connection', () => {
      this.hasAccepted = true;
    });
    this.server.listen(port, address);
    const { server } = this.resolv;
    if (server !== undefined) this.resolver = new Resolver(server);
  }

  private heard(kind: number, text: string, from: string): void {
    const now = performance.now();
    const nodeAt = (address: string): string | undefined => this.peerNames.get(address);
    this.hostDirectory?.message(kind, text, from, { now, nodeAt });
    this.podDirectory?.message(kind, text);
  }

  /** Senders for the paths as they are to be now; those that stay go on. */
  private plan(): void {
    const { config, datagrams } = this;
    if (config === undefined || datagrams === undefined) return;
    if (this.options.settings.onlyServes) return;
    const wanted = new Set<string>();
    for (const path of this.paths) {
      if (path.end !== this.options.settings.end) continue;
      const target = this.targetOf(path, config);
      for (const method of methodsOf(path, config.nodes.length)) {
        const place = `${path.kind} ${path.to} ${method.method}`;
        // Nobody knows where it is now: the address it had goes on being asked for.
        const key = target === undefined ? this.keyAt(place) : `${place} ${target.host}`;
        if (key === undefined) continue;
        wanted.add(key);
        if (target !== undefined && !this.senders.has(key)) this.add(key, path, method, target);
      }
    }
    if (config.closed !== undefined && this.options.settings.end === 'pod')
      wanted.add(this.askClosed(config.closed));
    const now = performance.now();
    for (const [key, sender] of this.senders) if (!wanted.has(key)) this.drop(key, sender, now);
  }

  /** Once a second: whether it is reached, and no more, is of interest. */
  private askClosed(target: HostPort): string {
    const key = `closed ${target.host}`;
    if (this.senders.has(key)) return key;
    const periodMs = 1_000;
    const { node } = this.options.settings;
    const track = new Track({
      kind: 'closed',
      to: node,
      method: 'tcp-new',
      address: target.host,
      periodMs,
    });
    const every = periodMs / this.tickMs;
    const options = { track, every, phase: phaseOf(key) % every, isShared: true, target };
    this.senders.set(key, new NewConnections(options, onlyConnect));
    return key;
  }

  private keyAt(place: string): string | undefined {
    return [...this.senders.keys()].find((key) => key.startsWith(`${place} `));
  }

  private targetOf({ kind, to, end }: PlannedPath, config: ProbeConfig): HostPort | undefined {
    const { port, service, apiServer, egress, externalName } = config;
    switch (kind) {
      case 'pod':
        return at(this.podOn(to, end), port);
      case 'host':
        return at(this.peers.get(to), port);
      case 'service':
        return service ?? undefined;
      case 'nodeport': {
        const nodePort = service?.nodePort ?? null;
        return nodePort === null ? undefined : at(this.peers.get(to), nodePort);
      }
      case 'apiserver':
        return apiServer ?? undefined;
      case 'egress':
        return egress ?? undefined;
      case 'dns-internal':
        return this.resolv.domain === undefined ? undefined : at(this.resolv.server, 53);
      case 'dns-external':
        return externalName === null ? undefined : at(this.resolv.server, 53);
    }
  }

  private podOn(node: string, end: PlannedPath['end']): string | undefined {
    if (end === 'pod') return this.podDirectory?.podOn(node);
    const own = node === this.options.settings.node;
    return own ? this.hostDirectory?.ownPod : this.hostDirectory?.podOn(node);
  }

  private add(key: string, path: PlannedPath, planned: PlannedMethod, target: HostPort): void {
    const { kind, to } = path;
    const { method, periodMs } = planned;
    const address = kind === 'pod' ? target.host : '';
    const every = Math.max(1, Math.round(periodMs / this.tickMs));
    const track = new Track({ kind, to, method, address, periodMs: every * this.tickMs });
    const options: SenderOptions = {
      track,
      every,
      // What all share is spread over the period; what is slow, over ticks.
      phase: phaseOf(`${this.options.settings.node} ${key}`) % every,
      isShared: isShared(kind),
      target,
    };
    this.senders.set(key, this.senderOf(kind, options));
  }

  private senderOf(kind: PlannedPath['kind'], options: SenderOptions): Sender {
    const { track, target } = options;
    switch (track.identity.method) {
      case 'udp':
        return this.datagramSender(options, undefined);
      case 'udp-full':
        return this.datagramSender(options, this.payload);
      case 'tcp-held':
        return new HeldConnection(options);
      case 'tcp-new':
        return new NewConnections(options, onlyConnect);
      case 'http':
        return new NewConnections(options, request);
      case 'dns': {
        const resolver = (this.resolver ??= new Resolver(target.host));
        const name =
          kind === 'dns-internal'
            ? `kubernetes.default.svc.${this.resolv.domain ?? 'cluster.local'}`
            : (this.config?.externalName ?? '');
        return nameSender({ ...options, resolver, name });
      }
    }
  }

  private datagramSender(options: SenderOptions, bytes: number | undefined): Sender {
    const { track, target } = options;
    const free = this.tracks.indexOf(undefined);
    const index = (free < 0 ? this.tracks.length : free) & PLACE;
    this.tracks[index] = track;
    return {
      ...options,
      send: (now) => this.datagrams?.ping(index, track.sending(now), target.host, bytes),
      tick: () => undefined,
      close: () => {
        this.tracks[index] = undefined;
      },
    };
  }

  private drop(key: string, sender: Sender, now: number): void {
    this.senders.delete(key);
    sender.close();
    sender.track.end(now);
    if (sender.track.hasSent) this.ended = [...this.ended.slice(1 - ENDED_MAX), sender.track];
  }

  /** A line when a path has begun or ceased to fail, or lost more; else now and then. */
  private tellChanges(now: number): void {
    let state = '';
    for (const { track } of this.senders.values())
      state += `${track.lostBy(now)}${track.failingSince(now) === undefined ? '.' : '!'}`;
    if (state === this.toldState && !this.isTime(LINE_EVERY_MS)) return;
    this.toldState = state;
    this.tell(now);
  }

  private tell(now: number): void {
    const { end, node, address } = this.options.settings;
    const tracks = [...this.ended, ...[...this.senders.values()].map(({ track }) => track)];
    const line: ProbeLine = {
      probe: 1,
      end,
      node,
      boot: this.boot.toString(16),
      upMs: Math.round(now - this.startedAt),
      address,
      paths: tracks.filter(({ hasSent }) => hasSent).map((track) => this.pathOf(track, now)),
    };
    this.options.print(JSON.stringify(line));
  }

  /** On the clock that begins with the agent. */
  private pathOf(track: Track, now: number): ProbeLine['paths'][number] {
    const { gaps, failing, ...line } = track.line(now);
    const since = (at: number): number => Math.round(at - this.startedAt);
    return {
      ...line,
      gaps: gaps.map(([from, to]) => [since(from), since(to)] as const),
      ...(failing === undefined
        ? {}
        : { failing: { ...failing, sinceMs: since(failing.sinceMs) } }),
    };
  }
}

function at(host: string | undefined, port: number): HostPort | undefined {
  return host === undefined || host === '' ? undefined : { host, port };
}

function phaseOf(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index += 1)
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) >>> 0;
  return hash;
}
