/**
 * etcd, kube-apiserver, kube-controller-manager and kube-scheduler on loopback, with certificates and
 * data of their own in a folder that goes with them. No node is there, and nothing marks nodes as lost.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { identityIn } from '../../support/kubeconfig-identity.ts';
import { laneDirectory } from '../lane-directory.ts';
import { type CredentialFiles, writeCredentials } from './credentials.ts';
import { freePorts, ServerProcess } from './server-process.ts';
import type { ControlPlaneSoftware } from './software.ts';

const READY_MS = 120_000;
const HOST = '127.0.0.1';
/** Nodes are objects here: nobody renews their leases, and they stay as they are written. */
const NODE_GRACE = '24h';

interface Ports {
  readonly etcd: number;
  readonly peer: number;
  readonly api: number;
  readonly controllers: number;
  readonly scheduler: number;
}

export class ControlPlane {
  readonly software: ControlPlaneSoftware;
  readonly directory: string;
  private readonly ports: Ports;
  private readonly files: CredentialFiles;
  private readonly running = new Map<string, ServerProcess>();

  private constructor(
    software: ControlPlaneSoftware,
    directory: string,
    ports: Ports,
    files: CredentialFiles,
  ) {
    this.software = software;
    this.directory = directory;
    this.ports = ports;
    this.files = files;
  }

  /** `atOnce` is handed the control plane before anything runs, so that whoever ends can end it. */
  static async start(
    software: ControlPlaneSoftware,
    atOnce: (plane: ControlPlane) => void,
  ): Promise<ControlPlane> {
    const directory = laneDirectory();
    const [etcd = 0, peer = 0, api = 0, controllers = 0, scheduler = 0] = await freePorts(5);
    const server = `https://${HOST}:${api}`;
    const files = await writeCredentials(join(directory, 'credentials'), server);
    const ports = { etcd, peer, api, controllers, scheduler };
    const plane = new ControlPlane(software, directory, ports, files);
    atOnce(plane);
    await plane.startEtcd();
    await plane.startApiServer();
    await Promise.all([plane.startControllers(), plane.startScheduler()]);
    return plane;
  }

  /** Of a member of `system:masters`. */
  get kubeconfig(): string {
    return this.files.kubeconfig('admin');
  }

  /** What it knew of the past is forgotten with the old process. */
  async restartApiServer(): Promise<void> {
    await this.running.get('kube-apiserver')?.end();
    await this.startApiServer();
  }

  /** In the order opposite to that of the start. */
  async end(): Promise<void> {
    for (const one of [...this.running.values()].toReversed()) await one.end();
    this.running.clear();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private run(
    name: string,
    binary: string,
    flags: Readonly<Record<string, string>>,
  ): ServerProcess {
    mkdirSync(join(this.directory, 'logs'), { recursive: true });
    const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
    const log = join(this.directory, 'logs', `${name}.log`);
    const started = new ServerProcess(name, binary, args, log);
    this.running.set(name, started);
    return started;
  }

  private async startEtcd(): Promise<void> {
    const client = `https://${HOST}:${this.ports.etcd}`;
    const peer = `http://${HOST}:${this.ports.peer}`;
    const etcd = this.run('etcd', this.software.etcd, {
      name: 'one',
      'data-dir': join(this.directory, 'etcd'),
      'listen-client-urls': client,
      'advertise-client-urls': client,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': `one=${peer}`,
      'client-cert-auth': 'true',
      'trusted-ca-file': this.files.authority,
      'cert-file': this.files.server.certificate,
      'key-file': this.files.server.key,
      // Data that nobody needs again.
      'unsafe-no-fsync': 'true',
      'log-level': 'warn',
    });
    await etcd.whenReady(() => this.answers(this.ports.etcd, '/health'), READY_MS);
  }

  private async startApiServer(): Promise<void> {
    const { authority, server, etcdClient, serviceAccounts } = this.files;
    const apiServer = this.run('kube-apiserver', this.software.apiServer, {
      'etcd-servers': `https://${HOST}:${this.ports.etcd}`,
      'etcd-cafile': authority,
      'etcd-certfile': etcdClient.certificate,
      'etcd-keyfile': etcdClient.key,
      'bind-address': HOST,
      'secure-port': String(this.ports.api),
      'advertise-address': HOST,
      // Its address is loopback, which is no endpoint that a Service may have.
      'endpoint-reconciler-type': 'none',
      'tls-cert-file': server.certificate,
      'tls-private-key-file': server.key,
      'client-ca-file': authority,
      'service-cluster-ip-range': '10.96.0.0/12',
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-account-key-file': serviceAccounts.certificate,
      'service-account-signing-key-file': serviceAccounts.key,
      'authorization-mode': 'Node,RBAC',
      'allow-privileged': 'true',
      profiling: 'false',
    });
    await apiServer.whenReady(() => this.answers(this.ports.api, '/readyz'), READY_MS);
  }

  private async startControllers(): Promise<void> {
    const kubeconfig = this.files.kubeconfig('controller-manager');
    const controllers = this.run('kube-controller-manager', this.software.controllerManager, {
      ...this.component(kubeconfig, this.ports.controllers),
      'root-ca-file': this.files.authority,
      'service-account-private-key-file': this.files.serviceAccounts.key,
      // Its own name may do little; each controller has an account that may do its work.
      'use-service-account-credentials': 'true',
      'node-monitor-grace-period': NODE_GRACE,
      'leader-elect': 'false',
    });
    await controllers.whenReady(() => this.answers(this.ports.controllers, '/healthz'), READY_MS);
  }

  private async startScheduler(): Promise<void> {
    const kubeconfig = this.files.kubeconfig('scheduler');
    const scheduler = this.run('kube-scheduler', this.software.scheduler, {
      ...this.component(kubeconfig, this.ports.scheduler),
      'leader-elect': 'false',
    });
    await scheduler.whenReady(() => this.answers(this.ports.scheduler, '/healthz'), READY_MS);
  }

  private component(kubeconfig: string, port: number): Readonly<Record<string, string>> {
    return {
      kubeconfig,
      'authentication-kubeconfig': kubeconfig,
      'authorization-kubeconfig': kubeconfig,
      'bind-address': HOST,
      'secure-port': String(port),
      'tls-cert-file': this.files.server.certificate,
      'tls-private-key-file': this.files.server.key,
      profiling: 'false',
    };
  }

  /** As the administrator, who may ask all of them. */
  private async answers(port: number, path: string): Promise<boolean> {
    const { key, cert } = identityIn(readFileSync(this.kubeconfig, 'utf8'));
    const ca = readFileSync(this.files.authority);
    return await new Promise((resolve, reject) => {
      const asked = request({ host: HOST, port, path, ca, key, cert, timeout: 5_000 }, (answer) => {
        answer.resume();
        answer.once('end', () => resolve(answer.statusCode === 200));
      });
      asked.once('timeout', () => asked.destroy(new Error('no answer')));
      asked.once('error', reject);
      asked.end();
    });
  }
}
