/**
 * Names of pod templates. The real hash is of Go's own encoding and cannot be had, so only this
 * matters: equal templates have equal hashes, and a template that was seen under a label keeps it.
 */
import { canonicalJson } from '../../base/canonical-json.ts';
import type { PodTemplate } from '../../model/kubernetes.ts';

/** The alphabet of Kubernetes' safe encoding: no vowels, no look-alikes. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

const texts = new WeakMap<PodTemplate, string>();

export function templateText(template: PodTemplate): string {
  let text = texts.get(template);
  if (text === undefined) texts.set(template, (text = canonicalJson(template)));
  return text;
}

export function hashOfTemplate(template: PodTemplate): string {
  let hash = 0x811c9dc5;
  const text = templateText(template);
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  let name = '';
  for (let rest = hash; name.length < 9; rest = Math.floor(rest / ALPHABET.length)) {
    name += ALPHABET[rest % ALPHABET.length];
  }
  return name;
}

/** Which label stands for which template, per owner. */
export class TemplateNames {
  private readonly names = new Map<string, string>();

  /** A template that was there before the twin started goes by the label its pods carry. */
  learn(ownerUid: string, template: PodTemplate, name: string): void {
    this.names.set(`${ownerUid}|${templateText(template)}`, name);
  }

  nameOf(ownerUid: string, template: PodTemplate): string {
    const key = `${ownerUid}|${templateText(template)}`;
    let name = this.names.get(key);
    if (name === undefined) this.names.set(key, (name = hashOfTemplate(template)));
    return name;
  }
}
