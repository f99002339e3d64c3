/**
 * Another Talos on a node, on the path its version has: up to 1.12 one call that drains, installs and
 * reboots; from 1.13 on the image is pulled and installed, and draining and rebooting is the client's
 * part (knowledge talos-and-cni-selection.md 4.10).
 */
import { RegaugeError } from '../../base/errors.ts';
import { atLeast } from '../../base/versions.ts';
import { ContainerDriver, ContainerdNamespace } from '../../knowledge/talos-api/common/common.ts';
import { ImageService } from '../../knowledge/talos-api/machine/image.ts';
import type { ImageServicePullResponse } from '../../knowledge/talos-api/machine/image.ts';
import { LifecycleService } from '../../knowledge/talos-api/machine/lifecycle.ts';
import type { LifecycleServiceUpgradeResponse } from '../../knowledge/talos-api/machine/lifecycle.ts';
import { MachineService } from '../../knowledge/talos-api/machine/machine.ts';
import { only, rebootNode, talosVersion } from './machine-calls.ts';
import type { Collector, TalosChannel } from './talos-channel.ts';

export interface UpgradeOptions {
  /** Up to Talos 1.7: without it EPHEMERAL is wiped, and a control plane leaves etcd. */
  readonly preserve: boolean;
  /** From Talos 1.13 on, between installing and rebooting; up to 1.12 Talos drains by itself. */
  readonly drain?: (() => Promise<void>) | undefined;
  /** The installer's lines, as they come. */
  readonly onProgress?: (line: string) => void;
}

const INSTALL_MS = 15 * 60_000;
const IDLE_MS = 5 * 60_000;
/** The last lines of an installer that failed. */
const LINES_KEPT = 5;
const SYSTEM = { driver: ContainerDriver.CONTAINERD, namespace: ContainerdNamespace.NS_SYSTEM };

export async function upgradeNode(
  channel: TalosChannel,
  node: string,
  image: string,
  options: UpgradeOptions,
): Promise<void> {
  const { version } = await talosVersion(channel, node);
  // The call was in no release before 1.13.0; the first alphas had it otherwise.
  if (!atLeast(version, '1.13.0-alpha.3')) return upgradeAtOnce(channel, node, image, options);
  const name = await pull(channel, node, image);
  await install(channel, node, name, options);
  await options.drain?.();
  return rebootNode(channel, node);
}

async function upgradeAtOnce(
  channel: TalosChannel,
  node: string,
  image: string,
  { preserve }: UpgradeOptions,
): Promise<void> {
  const what = `upgrade ${node} to ${image}`;
  const answer = await channel.unary(
    MachineService.method.upgrade,
    { image, preserve },
    // The server pulls and judges the image before it answers.
    { node, what, isRead: false, deadlineMs: INSTALL_MS },
  );
  only(answer.messages, what);
}

function pull(channel: TalosChannel, node: string, image: string): Promise<string> {
  const what = `pull ${image} on ${node}`;
  const call = { node, what, isRead: true, deadlineMs: INSTALL_MS, idleMs: IDLE_MS };
  const request = { containerd: SYSTEM, imageRef: image };
  return channel.collect(ImageService.method.pull, request, call, () => new Pulled(image));
}

class Pulled implements Collector<ImageServicePullResponse, string> {
  private name: string;

  constructor(image: string) {
    this.name = image;
  }

  take({ response }: ImageServicePullResponse): void {
    if (response.case === 'name') this.name = response.value;
  }

  done(): string {
    return this.name;
  }
}

function install(
  channel: TalosChannel,
  node: string,
  imageName: string,
  { onProgress }: UpgradeOptions,
): Promise<void> {
  const what = `install ${imageName} on ${node}`;
  const call = { node, what, isRead: false, deadlineMs: INSTALL_MS, idleMs: IDLE_MS };
  const request = { containerd: SYSTEM, source: { imageName } };
  const method = LifecycleService.method.upgrade;
  return channel.collect(method, request, call, () => new Installed(what, onProgress));
}

class Installed implements Collector<LifecycleServiceUpgradeResponse, void> {
  private exitCode: number | undefined;
  private readonly lines: string[] = [];
  private readonly what: string;
  private readonly onProgress: ((line: string) => void) | undefined;

  constructor(what: string, onProgress: ((line: string) => void) | undefined) {
    this.what = what;
    this.onProgress = onProgress;
  }

  take({ progress }: LifecycleServiceUpgradeResponse): void {
    if (progress?.response.case === 'exitCode') this.exitCode = progress.response.value;
    if (progress?.response.case !== 'message') return;
    this.lines.push(progress.response.value.trimEnd());
    if (this.lines.length > LINES_KEPT) this.lines.shift();
    this.onProgress?.(progress.response.value);
  }

  /** An installer that failed is no error of the call; one that never said how it ended is not done. */
  done(): void {
    if (this.exitCode === 0) return;
    const how = this.exitCode === undefined ? 'did not end' : `ended with ${this.exitCode}`;
    const hint =
      this.lines.length === 0 ? {} : { hint: `its last words: ${this.lines.join(' | ')}` };
    throw new RegaugeError('refused', `cannot ${this.what}: the installer ${how}`, hint);
  }
}
