/** A real control plane with kubectl, Helm and regauge itself as its users have them. */
import { fileURLToPath } from 'node:url';
import type { KubeObject } from '../../../src/model/kubernetes.ts';
import { type Ended, helmHome, printed, run } from '../command.ts';

const REGAUGE = fileURLToPath(new URL('../../../dist/regauge.js', import.meta.url));

export interface Binaries {
  readonly kubectl: string;
  readonly helm: string;
}

export class RealCluster {
  private readonly binaries: Binaries;
  private readonly env: Readonly<Record<string, string>>;

  constructor(binaries: Binaries, kubeconfig: string, directory: string) {
    this.binaries = binaries;
    this.env = { KUBECONFIG: kubeconfig, NO_COLOR: '1', ...helmHome(directory) };
  }

  kubectl(args: readonly string[], input = ''): Promise<string> {
    return printed(this.binaries.kubectl, args, { input, env: this.env });
  }

  helm(args: readonly string[], values?: object): Promise<string> {
    const { helm } = this.binaries;
    if (values === undefined) return printed(helm, args, { env: this.env });
    const input = JSON.stringify(values);
    return printed(helm, [...args, '--values', '-'], { input, env: this.env });
  }

  regauge(args: readonly string[]): Promise<Ended> {
    return run(process.execPath, [REGAUGE, ...args], { env: this.env });
  }

  /** With a text as its standard input. */
  regaugeOn(input: string, args: readonly string[]): Promise<Ended> {
    return run(process.execPath, [REGAUGE, ...args], { input, env: this.env });
  }

  /** The server's own judgement, with fields it does not know refused; nothing is stored. */
  async judge(text: string): Promise<Ended> {
    const args = ['apply', '--server-side', '--force-conflicts', '--dry-run=server'];
    return run(this.binaries.kubectl, [...args, '--validate=strict', '-f', '-'], {
      input: text,
      env: this.env,
    });
  }

  async create(objects: readonly KubeObject[]): Promise<void> {
    await this.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], listOf(objects));
  }
}

export function listOf(items: readonly KubeObject[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

/** What a server gives an object, and nobody may bring along. */
export function asWritten(object: KubeObject): KubeObject {
  const {
    uid: _uid,
    resourceVersion: _version,
    creationTimestamp: _created,
    deletionTimestamp: _deleted,
    deletionGracePeriodSeconds: _grace,
    generation: _generation,
    managedFields: _managed,
    ownerReferences: _owners,
    ...metadata
  } = object.metadata;
  const { status: _status, ...rest } = object as KubeObject & { readonly status?: unknown };
  return { ...rest, metadata };
}
