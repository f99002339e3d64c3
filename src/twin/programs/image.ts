/** What an image name says of the software in it. */
import { normalVersion } from '../../base/versions.ts';
import type { Container } from '../../model/kubernetes.ts';

/** A cluster has many containers of few images. */
const names = new Map<string, string>();
const NAMES_MAX = 4_096;

/** `quay.io/cilium/cilium:v1.16.5@sha256:…` → `cilium`. */
export function imageName({ image = '' }: Container): string {
  const known = names.get(image);
  if (known !== undefined) return known;
  const path = image.split('@')[0] ?? '';
  const last = path.split('/').at(-1) ?? '';
  // RKE2 builds the same programs itself: `rancher/hardened-flannel`.
  const name = (last.split(':')[0] ?? '').replace(/^hardened-/, '');
  if (names.size >= NAMES_MAX) names.clear();
  names.set(image, name);
  return name;
}

/** calico-node or its installer: `rancher/hardened-calico`, `calico/node`, `rancher/mirrored-calico-node`. */
export function isCalicoImage({ image = '' }: Container): boolean {
  return /(^|\/)(calico\/(node|cni)|(hardened-|mirrored-)calico(-node|-cni)?)[:@]/.test(image);
}

/** The tag as a version; undefined when it is none (`latest`, a digest alone). */
export function imageVersion(container: Container): string | undefined {
  const last = ((container.image ?? '').split('@')[0] ?? '').split('/').at(-1) ?? '';
  const tag = last.split(':')[1];
  return tag === undefined ? undefined : normalVersion(tag);
}
