/** A served twin of a large cluster in a process of its own (served-twin.ts). */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { identityIn } from '../test/support/kubeconfig-identity.ts';

/** A store of 150,000 pods and their texts. */
const HEAP_MEGABYTES = 9_000;
/** Of a second: what `/proc` counts CPU time in. */
const TICKS = 100;

export interface ClientFiles {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

export class TwinProcess {
  readonly url: string;
  readonly kubeconfig: string;
  readonly files: ClientFiles;
  readonly agent: Agent;
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess, url: string, kubeconfig: string) {
    this.child = child;
    this.url = url;
    this.kubeconfig = kubeconfig;
    const { ca, cert, key } = identityIn(readFileSync(kubeconfig, 'utf8'));
    this.agent = new Agent({ ca, cert, key, keepAlive: true });
    this.files = {
      authority: written(`${kubeconfig}.ca`, ca),
      certificate: written(`${kubeconfig}.crt`, cert),
      key: written(`${kubeconfig}.key`, key),
    };
  }

  static async start(
    folder: string,
    size: { readonly nodes: number; readonly pods: number; readonly only?: 'workloads' },
  ): Promise<TwinProcess> {
    const kubeconfig = join(folder, `twin-${size.pods}.kubeconfig`);
    const { nodes, pods, only = '' } = size;
    const child = spawn(
      process.execPath,
      [
        `--max-old-space-size=${HEAP_MEGABYTES}`,
        '--max-semi-space-size=64',
        '--import',
        'tsx',
        'bench/served-twin.ts',
        String(nodes),
        String(pods),
        kubeconfig,
        only,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^ready (\S+)/.exec(line)?.[1];
      if (url !== undefined) return new TwinProcess(child, url, kubeconfig);
    }
    throw new Error('the served twin did not start');
  }

  /** Milliseconds of CPU so far; undefined where there is no /proc. */
  cpuMs(): number | undefined {
    try {
      const text = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8');
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return ((Number(fields[11]) + Number(fields[12])) / TICKS) * 1_000;
    } catch {
      return undefined;
    }
  }

  async end(): Promise<void> {
    this.agent.destroy();
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.stdin?.end();
    await ended;
  }
}

function written(path: string, text: Buffer): string {
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}
