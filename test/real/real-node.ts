/**
 * A node of real software: the harness (go/harness) as a child in namespaces of its own, asked one
 * thing at a time. When the child ends, by whatever cause, the kernel takes everything away that was
 * started or mounted in there; only control groups remain, which `close` removes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Interface, createInterface } from 'node:readline';
import { runtimeConfig } from './runtime-config.ts';
import type { RuntimeSoftware, Software } from './software.ts';

export interface Answer {
  readonly [key: string]: unknown;
}

const PATIENCE_MS = 120_000;
const NAMESPACES = ['--mount', '--net', '--pid', '--ipc', '--uts', '--fork', '--kill-child'];
/** Directories and control groups are named so, followed by our process. */
const NAME = 'regauge-real-';
const CONTROL_GROUPS = '/sys/fs/cgroup';

export class RealNode {
  readonly runtime: RuntimeSoftware;
  readonly cgroupParent: string;
  private readonly child: ChildProcess;
  private readonly lines: Interface;
  private readonly root: string;
  private readonly waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] =
    [];
  private told = '';

  private constructor(software: Software, runtime: RuntimeSoftware) {
    this.runtime = runtime;
    this.root = mkdtempSync(join(tmpdir(), `${NAME}${process.pid}-`));
    this.cgroupParent = `/${NAME}${process.pid}-${runtime.version}`;
    // The shell is the first process of the namespace: it buries what loses its parent.
    this.child = spawn('unshare', [...NAMESPACES, 'sh', '-c', '"$0"; exit $?', software.harness], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    if (this.child.stdout === null) throw new Error('no pipe');
    this.lines = createInterface({ input: this.child.stdout });
    this.lines.on('line', (line) => this.waiting.shift()?.resolve(line));
    this.child.stderr?.on('data', (text: Buffer) => (this.told += text.toString()));
    this.child.stdin?.on('error', () => undefined); // told by the exit
    this.child.on('error', (error) => this.gone(error.message));
    this.child.on('exit', (code, signal) => this.gone(`ended with ${code ?? signal}`));
  }

  static async open(software: Software, runtime: RuntimeSoftware): Promise<RealNode> {
    const node = new RealNode(software, runtime);
    try {
      await node.ask({
        do: 'prepare',
        root: node.root,
        config: runtimeConfig(runtime.version, { maxConfNum: 1, internalLoopback: false }),
        binaries: {
          containerd: runtime.containerd,
          'containerd-shim-runc-v2': runtime.shim,
          ctr: runtime.ctr,
          runc: software.runc,
          pause: software.pause,
          shim: software.shim,
        },
        plugins: software.plugins,
      });
    } catch (error) {
      await node.close();
      throw error;
    }
    return node;
  }

  async ask(request: Answer): Promise<Answer> {
    const line = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE_MS);
      this.waiting.push({
        resolve: (text) => {
          clearTimeout(timer);
          resolve(text);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.child.stdin?.write(`${JSON.stringify(request)}\n`);
    });
    const answer = JSON.parse(line) as Answer; // our own harness
    if (answer['failed'] !== undefined) throw new Error(String(answer['failed']));
    return answer;
  }

  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      if (this.child.exitCode !== null || this.child.signalCode !== null) resolve();
      else this.child.once('exit', () => resolve());
    });
    this.child.stdin?.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(timer);
    if (existsSync(this.root)) rmdirSync(this.root);
    await removeControlGroups(this.cgroupParent);
  }

  private gone(why: string): void {
    const error = new Error(`the harness ${why}: ${this.told.trim()}`);
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}

/** Removes what a run left that was itself killed: empty directories and control groups. */
export function sweep(): void {
  for (const place of [tmpdir(), ...controlGroupRoots()]) {
    for (const name of readdirSync(place)) {
      const owner = name.startsWith(NAME) ? /^\d+/.exec(name.slice(NAME.length))?.[0] : undefined;
      if (owner !== undefined && !existsSync(`/proc/${owner}`)) removeGroup(join(place, name));
    }
  }
}

/** One hierarchy, or one per controller. */
function controlGroupRoots(): readonly string[] {
  const controllers = readdirSync(CONTROL_GROUPS, { withFileTypes: true });
  return [
    CONTROL_GROUPS,
    ...controllers.filter((one) => one.isDirectory()).map((one) => join(CONTROL_GROUPS, one.name)),
  ];
}

/** A group goes once its processes are buried. */
async function removeControlGroups(name: string): Promise<void> {
  const groups = controlGroupRoots().map((root) => join(root, name));
  for (let round = 0; round < 40; round += 1) {
    for (const group of groups) if (existsSync(group)) removeGroup(group);
    if (!groups.some((group) => existsSync(group))) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function removeGroup(path: string): void {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) removeGroup(join(path, entry.name));
    }
    rmdirSync(path);
  } catch {
    // Still in use; the next round tries again.
  }
}
