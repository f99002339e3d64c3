/**
 * The agent of one end of a node. It wakes ten times a second, reads what has come, echoes, sends,
 * and sleeps without listening: what arrives meanwhile waits in the kernel. A wake-up costs more than
 * a packet, and nobody here measures how long an answer takes, only whether it comes. When it wakes
 * late, its node had no processor for it: it excuses what waited, and tells the others to.
 */
import type { ProbeConfig, ProbeLine } from '../model/probe.ts';
import { peersAt, type PlannedPath, plannedPathsAt, ringOf } from '../model/probe-paths.ts';
import { Datagrams } from './datagram.ts';
import { parseResolvConf, type ResolvConf } from './dns.ts';
import { HostDirectory, PodDirectory } from './peers.ts';
import { phaseOf, SenderSet } from './sender-set.ts';
import { EchoServer } from './server.ts';
import { ConfigFile, fullPayload, readText, type Settings } from './settings.ts';
import type { Track } from './track.ts';

/** The host's agent mostly echoes, and wakes half as often: what it sends itself is the slow part of a class. */
const TICK_MS = { pod: 100, host: 200 } as const;
/** A tick that comes later than this: the agent stood still, not the network. */
const STALL_MS = 150;
/** What came while it stood still is answered by then: a connection is taken in one tick and read in another. */
const CATCH_UP_MS = 500;
/** A line at least so often, so that silence is known from health. */
const LINE_EVERY_MS = 5_000;
const CONFIG_EVERY_MS = 10_000;
const TURN_EVERY_MS = 200;
const TURNS_MAX = 256;

export interface AgentOptions {
  readonly settings: Settings;
  readonly print: (line: string) => void;
}

export class Agent {
  private readonly options: AgentOptions;
  private readonly boot = Math.floor(Math.random() * 0xffff_ffff);
  private readonly startedAt = performance.now();
  private readonly configFile: ConfigFile;
  private readonly resolv: ResolvConf;
  private readonly tickMs: number;
  private readonly phaseMs: number;
  private config: ProbeConfig | undefined;
  private datagrams: Datagrams | undefined;
  private server: EchoServer | undefined;
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
  /** Told with each answer until what waited has been answered. */
  private stoodMs = 0;
  private stoodUntil = -Infinity;
  private stoodTotal = 0;
  private turnsLeft = 0;
  private readonly afterTurn = (): void => this.turned();
  private readonly nobody = new Int32Array(new SharedArrayBuffer(4));

  constructor(options: AgentOptions) {
    this.options = options;
    const { configPath, resolvConfPath } = options.settings;
    this.configFile = new ConfigFile(configPath);
    this.resolv = parseResolvConf(readText(resolvConfPath));
    this.tickMs = TICK_MS[options.settings.end];
    this.phaseMs = phaseOf(`${options.settings.end} ${options.settings.node}`) % this.tickMs;
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
   * Blocks to the node's own next tick of the wall's clock. Two agents are then always awake in the same
   * order, and what one sends is there when the other looks. The event loop (which echoes, accepts and
   * connects) takes as long as all senders together, and has its turn when it is due.
   */
  private sleep(): void {
    do {
      if (this.isOver) return;
      Atomics.wait(this.nobody, 0, 0, this.tickMs - ((Date.now() + this.phaseMs) % this.tickMs));
      this.wake(performance.now());
    } while (!this.needsTurn());
    // Libuv accepts one connection in each.
    this.turnsLeft = TURNS_MAX;
    setImmediate(this.afterTurn);
  }

  private wake(now: number): void {
    const stoodMs = now - this.lastTick - this.tickMs;
    this.lastTick = now;
    if (stoodMs > STALL_MS) this.excuse(stoodMs, now);
    else if (now - this.stoodUntil > CATCH_UP_MS) this.stoodMs = 0;
    this.tick(now);
  }

  private needsTurn(): boolean {
    if ((this.ticks * this.tickMs) % TURN_EVERY_MS === 0 || this.senders === undefined) return true;
    return this.senders.all().some((sender) => sender.isConnecting());
  }

  private turned(): void {
    const { server } = this;
    this.turnsLeft -= 1;
    if (server?.hasAccepted === true && this.turnsLeft > 0) {
      server.hasAccepted = false;
      setImmediate(this.afterTurn);
    } else this.sleep();
  }

  private excuse(stoodMs: number, now: number): void {
    this.stoodMs = stoodMs;
    this.stoodUntil = now;
    this.stoodTotal += stoodMs;
    for (const { track } of this.senders?.all() ?? []) track.excuse(now);
  }

  private tick(now: number): void {
    if (this.isTime(CONFIG_EVERY_MS) || this.config === undefined) this.readConfig();
    this.ticks += 1;
    if (this.datagrams === undefined) return;
    this.server?.receive(now - ((Date.now() + this.phaseMs) % this.tickMs));
    this.hostDirectory?.tick(now, this.peers);
    this.podDirectory?.tick(now, this.hostAddress);
    for (const sender of this.senders?.all() ?? []) {
      sender.receive(now);
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
    const { settings } = this.options;
    const { node, address } = settings;
    const { boot } = this;
    const stoodMs = (): number => this.stoodMs;
    const message = (kind: number, text: string, from: string): void =>
      this.heard(kind, text, from);
    const datagrams = new Datagrams({ address, port, boot, stoodMs, message });
    this.datagrams = datagrams;
    this.server = new EchoServer({ node, address, port, stoodMs });
    if (settings.onlyServes) return;
    const changed = (): void => this.plan();
    this.senders = new SenderSet({
      settings,
      resolv: this.resolv,
      boot,
      tickMs: this.tickMs,
      payload: fullPayload(address),
      podOn: (peer) => this.podOn(peer),
      hostOf: (peer) => this.peers.get(peer),
    });
    if (settings.end === 'host') this.hostDirectory = new HostDirectory(datagrams, changed);
    else this.podDirectory = new PodDirectory(datagrams, address, changed);
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
      ...(this.stoodTotal === 0 ? {} : { stoodMs: Math.round(this.stoodTotal) }),
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
