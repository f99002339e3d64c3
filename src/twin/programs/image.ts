/** What an image name says of the software in it. */
import { normalVersion } from '../../base/versions.ts';
import type { Container } from '../../model/kubernetes.ts';

/** `quay.io/cilium/cilium:v1.16.5@sha256:…` → `cilium`. */
export function imageName(container: Container): string {
  const path = (container.image ?? '').split('@')[0] ?? '';
  const last = path.split('/').at(-1) ?? '';
  return last.split(':')[0] ?? '';
}

/** The tag as a version; undefined when it is none (`latest`, a digest alone). */
export function imageVersion(container: Container): string | undefined {
  const last = ((container.image ?? '').split('@')[0] ?? '').split('/').at(-1) ?? '';
  const tag = last.split(':')[1];
  return tag === undefined ? undefined : normalVersion(tag);
}
