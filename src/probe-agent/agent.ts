/**
 * The agent of one end of a node. It wakes ten times a second, reads what has come, echoes, sends,
 * and sleeps without listening: what arrives meanwhile waits in the kernel. A wake-up costs more than
 * a packet, and nobody here measures how long an answer takes, only whether it comes.
 */
import type { Server } from 'node:net';
import type { ProbeConfig, ProbeLine } from '../model/probe.ts';
import { peersAt, type PlannedPath, plannedPathsAt, ringOf } from '../model/probe-paths.ts';
import { Datagrams } from './datagram.ts';
import { parseResolvConf, type ResolvConf } from './dns.ts';
import { HostDirectory, PodDirectory } from './peers.ts';
import { SenderSet } from './sender-set.ts';
import { createEchoServer } from './server.ts';
import { ConfigFile, fullPayload, readText, type Settings } from './settings.ts';
import type { Track } from './track.ts';

/** The host's agent mostly echoes, and wakes half as often: what it sends itself is the slow part of a class. */
const TICK_MS = { pod: 100, host: 200 } as const;
/** A tick that comes later than this: the agent stood still, not the network. */
const STALL_MS = 150;
/** A line at least so often, so that silence is known from health. */
const LINE_EVERY_MS = 5_000;
const CONFIG_EVERY_MS = 10_000;
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
  private readonly tickMs: number;
  private config: ProbeConfig | undefined;
  private datagrams: Datagrams | undefined;
  private server: Server | undefined;
  private senders: SenderSet | undefined;
  private hostDirectory: HostDirectory | undefined;
  private podDirectory: PodDirectory | undefined;
  private peers: ReadonlyMap<string, string> = new Map();
  private peerNames: ReadonlyMap<string, string> = new Map();
  private hostAddress: string | undefined;
  private paths: readonly PlannedPath[] = [];
  private ticks = 0;
  private lastTick = 0;
  private toldState = '';
  private isOver = false;
  private hasAccepted = false;
  private readonly nobody = new Int32Array(new SharedArrayBuffer(4));

  constructor(options: AgentOptions) {
    this.options = options;
    const { configPath, resolvConfPath } = options.settings;
    this.configFile = new ConfigFile(configPath);
    this.resolv = parseResolvConf(readText(resolvConfPath));
    this.tickMs = TICK_MS[options.settings.end];
  }

  start(): void {
    this.lastTick = performance.now();
    this.sleep();
  }

  stop(): void {
    this.isOver = true;
    this.tell(performance.now());
    this.senders?.close();
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
      for (const { track } of this.senders?.all() ?? []) track.excuse(now);
    }
    this.lastTick = now;
    if (this.isTime(CONFIG_EVERY_MS) || this.config === undefined) this.readConfig();
    this.ticks += 1;
    if (this.datagrams === undefined) return;
    this.hostDirectory?.tick(now, this.peers);
    this.podDirectory?.tick(now, this.hostAddress);
    for (const sender of this.senders?.all() ?? []) {
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
        const track = this.senders?.trackAt(index);
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
      if (settings.onlyServes) return;
      const changed = (): void => this.plan();
      this.senders = new SenderSet({
        settings,
        resolv: this.resolv,
        datagrams,
        tickMs: this.tickMs,
        payload: fullPayload(address),
        podOn: (node) => this.podOn(node),
        hostOf: (node) => this.peers.get(node),
      });
      if (settings.end === 'host') this.hostDirectory = new HostDirectory(datagrams, changed);
      else this.podDirectory = new PodDirectory(datagrams, address, changed);
      this.plan();
    });
    this.server = createEchoServer(settings.node, failed);
    this.server.on('connection', () => {
      this.hasAccepted = true;
    });
    this.server.listen(port, address);
  }

  private heard(kind: number, text: string, from: string): void {
    const now = performance.now();
    const nodeAt = (address: string): string | undefined => this.peerNames.get(address);
    this.hostDirectory?.message(kind, text, from, { now, nodeAt });
    this.podDirectory?.message(kind, text);
  }

  /** As the config, the ring and the peers' addresses are now. */
  private plan(): void {
    if (this.config !== undefined) this.senders?.plan(this.config, this.paths);
  }

  private podOn(node: string): string | undefined {
    const { settings } = this.options;
    if (settings.end === 'pod') return this.podDirectory?.podOn(node);
    return node === settings.node ? this.hostDirectory?.ownPod : this.hostDirectory?.podOn(node);
  }

  /** A line when a path has begun or ceased to fail, or lost more; else now and then. */
  private tellChanges(now: number): void {
    let state = '';
    for (const { track } of this.senders?.all() ?? [])
      state += `${track.lostBy(now)}${track.failingSince(now) === undefined ? '.' : '!'}`;
    if (state === this.toldState && !this.isTime(LINE_EVERY_MS)) return;
    this.toldState = state;
    this.tell(now);
  }

  private tell(now: number): void {
    const { end, node, address } = this.options.settings;
    const line: ProbeLine = {
      probe: 1,
      end,
      node,
      boot: this.boot.toString(16),
      upMs: Math.round(now - this.startedAt),
      address,
      paths: (this.senders?.used() ?? []).map((track) => this.pathOf(track, now)),
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
