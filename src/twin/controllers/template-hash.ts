/**
 * Names of pod templates. The real hash is of Go's own encoding and cannot be had, so only this
 * matters: equal templates have equal hashes, and a template that was seen under a label keeps it.
 */
import { canonicalJson } from '../../base/canonical-json.ts';
import type { PodTemplate } from '../../model/kubernetes.ts';

/** The alphabet of Kubernetes' safe encoding: no vowels, no look-alikes. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

const texts = new WeakMap<PodTemplate, string>();

function templateText(template: PodTemplate): string {
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

/** Which name stands for which template, per owner. */
export class TemplateNames {
  // By owner first: a text that is a key by itself is hashed once, one that is put together each time.
  private readonly names = new Map<string, Map<string, string>>();

  /** A template that was there before the twin started goes by the name it was seen under. */
  learn(ownerUid: string, template: PodTemplate, name: string): void {
    let names = this.names.get(ownerUid);
    if (names === undefined) this.names.set(ownerUid, (names = new Map()));
    names.set(templateText(template), name);
  }

  known(ownerUid: string, template: PodTemplate): string | undefined {
    return this.names.get(ownerUid)?.get(templateText(template));
  }

  nameOf(ownerUid: string, template: PodTemplate): string {
    const known = this.known(ownerUid, template);
    if (known !== undefined) return known;
    const name = hashOfTemplate(template);
    this.learn(ownerUid, template, name);
    return name;
  }
}
