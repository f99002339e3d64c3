/**
 * What each Talos minor brings with it, as tables: containerd, Kubernetes, Flannel and the bundled
 * flannel plugin (knowledge: talos-and-cni-selection.md 4.3, from `talos:pkg/machinery/constants`).
 */
import { minorOf } from '../../base/versions.ts';

export interface TalosRelease {
  readonly kubernetes: string;
  readonly containerd: string;
  readonly flannel: string;
  /** The flannel CNI plugin in the image; decides the wording of a missing `subnet.env`. */
  readonly flannelPlugin: string;
  readonly kernel: string;
}

const RELEASES: Readonly<Record<string, TalosRelease>> = {
  '1.7': release('1.30.0', '1.7.15', 'v0.25.1', 'v1.4.1-flannel1', '6.6.26-talos'),
  '1.8': release('1.31.1', '2.0.0-rc.4', 'v0.25.6', 'v1.5.1-flannel2', '6.6.52-talos'),
  '1.9': release('1.32.0', '2.0.1', 'v0.26.1', 'v1.5.1-flannel3', '6.12.5-talos'),
  '1.10': release('1.33.0', '2.0.5', 'v0.26.7', 'v1.5.1-flannel3', '6.12.25-talos'),
  '1.11': release('1.34.0', '2.1.4', 'v0.27.2', 'v1.7.1-flannel1', '6.12.45-talos'),
  '1.12': release('1.35.0', '2.1.6', 'v0.27.4', 'v1.8.0-flannel2', '6.18.1-talos'),
  '1.13': release('1.36.0', '2.2.3', 'v0.28.4', 'v1.9.1-flannel1', '6.18.20-talos'),
  '1.14': release('1.37.0', '2.3.3', 'v0.28.9', 'v1.9.1-flannel3', '6.18.30-talos'),
};

const NEWEST = '1.14';
const OLDEST = '1.7';

/** The release of this minor; the nearest known one for a minor outside the table. */
export function talosRelease(version: string): TalosRelease {
  const minor = minorOf(version);
  const known = RELEASES[minor];
  if (known !== undefined) return known;
  const nearest = Number(minor.split('.')[1] ?? 0) < 7 ? OLDEST : NEWEST;
  return (
    RELEASES[nearest] ?? release('1.33.0', '2.0.5', 'v0.26.7', 'v1.5.1-flannel3', '6.12.25-talos')
  );
}

/** `ghcr.io/siderolabs/installer:v1.10.5` → `1.10.5`; undefined when the tag is no version. */
export function versionOfImage(image: string): string | undefined {
  const match = /:v?(\d+\.\d+\.\d+[^@]*)(@.*)?$/.exec(image);
  return match?.[1];
}

function release(
  kubernetes: string,
  containerd: string,
  flannel: string,
  flannelPlugin: string,
  kernel: string,
): TalosRelease {
  return { kubernetes, containerd, flannel, flannelPlugin, kernel };
}
