/**
 * Probe agents as real processes: per node one on a pod network and one on the host, in network
 * namespaces of their own behind one bridge (root), or on addresses of the loopback (anybody). With a
 * resolver that answers everything. What a namespace is called begins with `regauge-lab-`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundledProgram } from '../../scripts/bundled-files.mjs';
import { NODE_FLAGS, PROBE_PORT } from '../../src/knowledge/probes/objects.ts';
import { parseProbeLine, type ProbeConfig, type ProbeLine } from '../../src/model/probe.ts';
import { ringOf } from '../../src/model/probe-paths.ts';

const PREFIX = 'regauge-lab-';
/** States of a bridge's port (linux/if_bridge.h). */
const PORT_DISABLED = 0;
const PORT_FORWARDING = 3;

export interface LabOptions {
  /** Nodes that run. */
  readonly nodes: number;
  /** Nodes that the agents are told of: rates of what all share follow from it. */
  readonly told?: number;
  readonly inNamespaces: boolean;
}

export interface LabAgent {
  readonly node: string;
  readonly end: 'pod' | 'host';
  readonly process: ChildProcess;
  readonly namespace: string | undefined;
  /** Newest last. */
  readonly lines: ProbeLine[];
}

/** Whether this user may make network namespaces. */
export function canMakeNamespaces(): boolean {
  return (
    process.platform === 'linux' &&
    process.getuid?.() === 0 &&
    spawnSync('ip', ['netns', 'list'], { stdio: 'ignore' }).status === 0 &&
    spawnSync('unshare', ['--net', 'true'], { stdio: 'ignore' }).status === 0
  );
}

export class ProbeLab {
  readonly agents: readonly LabAgent[];
  private readonly directory = mkdtempSync(join(tmpdir(), 'regauge-lab-'));
  private readonly names: string;
  private readonly options: LabOptions;
  private readonly resolver: ChildProcess;

  constructor(options: LabOptions) {
    this.options = options;
    this.names = `${PREFIX}${process.pid}-`;
    const { nodes, told = nodes, inNamespaces } = options;
    if (inNamespaces) this.makeBridge();
    const ring = ringOf(Array.from({ length: told }, (_, index) => `node-${index}`));
    const members = ring.map((name, index) => ({ name, address: this.host(index % nodes) }));
    this.writeFiles(members);
    this.resolver = this.run('sw', ['-e', RESOLVER, this.resolverAddress]);
    this.agents = members
      .slice(0, nodes)
      .flatMap(({ name }, index) => [
        this.startAgent('host', name, index),
        this.startAgent('pod', name, index),
      ]);
  }

  /** The link of a node's pod to the bridge. */
  cutLink(index: number, milliseconds: number): Promise<number> {
    // The bridge forwards nothing, at once: a link that goes up is waited for by the kernel.
    const forward = (state: number): void =>
      this.command('bridge', ['link', 'set', 'dev', `vp${index}`, 'state', String(state)], 'sw');
    forward(PORT_DISABLED);
    const began = performance.now();
    return new Promise((done) => {
      setTimeout(() => {
        forward(PORT_FORWARDING);
        done(performance.now() - began);
      }, milliseconds);
    });
  }

  /** Routes between the nodes carry no more than this, and their ends do not know. */
  narrow(index: number, bytes: number): void {
    this.ip(['link', 'set', `vp${index}`, 'mtu', String(bytes)], 'sw');
  }

  agent(end: 'pod' | 'host', index: number): LabAgent {
    const found = this.agents[index * 2 + (end === 'host' ? 0 : 1)];
    if (found === undefined) throw new Error(`there is no agent ${index}`);
    return found;
  }

  async stop(): Promise<void> {
    const processes = [...this.agents.map((agent) => agent.process), this.resolver];
    await Promise.all(
      processes.map(
        (child) =>
          new Promise<void>((done) => {
            if (child.exitCode !== null || child.signalCode !== null) {
              done();
              return;
            }
            child.once('exit', () => done());
            child.kill('SIGKILL');
          }),
      ),
    );
    if (this.options.inNamespaces) removeNamespaces(this.names);
    rmSync(this.directory, { recursive: true, force: true });
  }

  private get resolverAddress(): string {
    return this.options.inNamespaces ? '10.99.255.253' : '127.99.255.253';
  }

  private host(index: number): string {
    return `${this.options.inNamespaces ? '10' : '127'}.99.0.${index + 1}`;
  }

  private pod(index: number): string {
    return `${this.options.inNamespaces ? '10' : '127'}.99.${index + 1}.1`;
  }

  private makeBridge(): void {
    removeNamespaces(this.names);
    this.ip(['netns', 'add', `${this.names}sw`]);
    this.ip(['link', 'add', 'br0', 'type', 'bridge'], 'sw');
    this.ip(['addr', 'add', '10.99.255.253/16', 'dev', 'br0'], 'sw');
    for (const link of ['lo', 'br0']) this.ip(['link', 'set', link, 'up'], 'sw');
    for (let index = 0; index < this.options.nodes; index += 1) {
      this.makeEnd(`h${index}`, this.host(index));
      this.makeEnd(`p${index}`, this.pod(index));
    }
  }

  private makeEnd(name: string, address: string): void {
    const space = `${this.names}${name}`;
    this.ip(['netns', 'add', space]);
    this.ip(
      ['link', 'add', `v${name}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space],
      'sw',
    );
    this.ip(['link', 'set', `v${name}`, 'master', 'br0', 'up'], 'sw');
    this.ip(['addr', 'add', `${address}/16`, 'dev', 'eth0'], name);
    for (const link of ['lo', 'eth0']) this.ip(['link', 'set', link, 'up'], name);
    this.ip(['route', 'add', 'default', 'via', '10.99.255.253'], name);
  }

  private ip(args: readonly string[], inside?: string): void {
    this.command('ip', args, inside);
  }

  private command(program: 'ip' | 'bridge', args: readonly string[], inside?: string): void {
    const where = inside === undefined ? [] : ['-n', `${this.names}${inside}`];
    const { status, stderr } = spawnSync(program, [...where, ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.trim()}`);
  }

  private writeFiles(nodes: ProbeConfig['nodes']): void {
    const service = { host: this.pod(1), port: PROBE_PORT, nodePort: PROBE_PORT };
    const config: ProbeConfig = {
      version: 1,
      port: PROBE_PORT,
      nodes,
      service,
      apiServer: { host: this.host(0), port: PROBE_PORT },
      egress: { host: this.host(1), port: PROBE_PORT },
      externalName: 'example.com',
    };
    const script = bundledProgram('src/probe-agent/agent.script');
    writeFileSync(join(this.directory, 'agent.js'), script);
    writeFileSync(join(this.directory, 'config.json'), JSON.stringify(config));
    const resolv = `nameserver ${this.resolverAddress}\nsearch regauge-system.svc.cluster.local svc.cluster.local\n`;
    writeFileSync(join(this.directory, 'resolv.conf'), resolv);
  }

  private startAgent(end: 'pod' | 'host', node: string, index: number): LabAgent {
    const name = `${end === 'pod' ? 'p' : 'h'}${index}`;
    const address = end === 'pod' ? this.pod(index) : this.host(index);
    const child = this.run(name, [...NODE_FLAGS, join(this.directory, 'agent.js'), end], {
      NODE_NAME: node,
      POD_IP: address,
      PROBE_CONFIG: join(this.directory, 'config.json'),
      PROBE_RESOLV_CONF: join(this.directory, 'resolv.conf'),
    });
    const lines: ProbeLine[] = [];
    let rest = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      const texts = `${rest}${chunk.toString()}`.split('\n');
      rest = texts.pop() ?? '';
      for (const text of texts) {
        const line = parseProbeLine(text);
        if (line !== undefined) lines.push(line);
      }
    });
    const namespace = this.options.inNamespaces ? `${this.names}${name}` : undefined;
    return { node, end, process: child, namespace, lines };
  }

  private run(
    name: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): ChildProcess {
    const command = [process.execPath, ...args];
    const [first = '', ...others] = this.options.inNamespaces
      ? // With a /sys of its own, where the agent reads its link's MTU.
        ['ip', 'netns', 'exec', `${this.names}${name}`, ...command]
      : command;
    return spawn(first, others, {
      stdio: ['ignore', 'pipe', 'inherit'],
      // Nothing of this process's settings: extra certificates alone take longer than the start.
      env: { PATH: process.env['PATH'] ?? '', ...environment },
    });
  }
}

/** Of labs whose process is gone, too: a killed run leaves them. */
function removeNamespaces(prefix: string): void {
  for (const name of namespaces()) {
    const owner = Number(name.split('-')[2]);
    if (name.startsWith(prefix) || !isAlive(owner)) spawnSync('ip', ['netns', 'del', name]);
  }
}

function namespaces(): readonly string[] {
  try {
    return readdirSync('/run/netns').filter((name) => name.startsWith(PREFIX));
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Processor time of all threads of a process so far (milliseconds). */
export function processorMs(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [ran = ''] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
    return sum + Number(ran) / 1e6;
  }, 0);
}

/** Megabytes resident; of them, what no other process shares. */
export function memoryOf(pid: number): { readonly resident: number; readonly own: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) / 1024;
  return { resident: field('Rss'), own: field('Private_Clean') + field('Private_Dirty') };
}

/** Answers every question with no addresses: a header with the answer bit is all that is looked at. */
const RESOLVER = `
const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (question, { port, address }) => {
  question[2] |= 0x80;
  socket.send(question, port, address);
});
socket.bind(53, process.argv[1]);
`;
