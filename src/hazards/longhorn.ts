/** What several Longhorn hazards ask of the facts. Kinds and fields: failure-domains 2.5. */
import type { ReadObject } from '../model/cluster-input.ts';
import type { ClusterFacts } from '../model/facts.ts';
import { imageName, objectsOfGroup, runsImage, templates, textAt } from './objects.ts';

export const LONGHORN_MISSING =
  "Longhorn's volumes and settings (kubectl -n longhorn-system get volumes.longhorn.io,settings.longhorn.io -o json)";

export function longhornVolumes(facts: ClusterFacts): readonly ReadObject[] {
  return objectsOfGroup(facts, 'longhorn.io', 'Volume');
}

/** Longhorn's manager, or a volume of its driver. */
export function hasLonghorn(facts: ClusterFacts): boolean {
  return (
    longhornVolumes(facts).length > 0 ||
    facts.workloads.persistentVolumes.some(
      ({ value }) => value.spec.csi?.driver === 'driver.longhorn.io',
    ) ||
    templates(facts).some(({ spec }) => runsImage(spec, 'longhorn-manager'))
  );
}

/** A setting's value; undefined where it was not read. */
export function longhornSetting(facts: ClusterFacts, name: string): string | undefined {
  const setting = objectsOfGroup(facts, 'longhorn.io', 'Setting').find(
    ({ object }) => object.metadata.name === name,
  );
  return setting === undefined ? undefined : (textAt(setting, 'value') ?? '');
}

/** The tag of longhorn-manager's image (`v1.11.0`). */
export function longhornVersion(facts: ClusterFacts): string | undefined {
  for (const { spec } of templates(facts)) {
    for (const { image } of spec.containers) {
      if (!/(^|\/)longhorn-manager$/.test(imageName(image))) continue;
      const tag = image?.slice(imageName(image).length + 1);
      if (tag !== undefined && tag !== '') return tag;
    }
  }
  return undefined;
}
