/** The part of a list or watch that selects: labels, fields, name. */
import {
  type FieldRequirement,
  fieldRequirements,
  type LabelRequirement,
  labelRequirements,
  matchesFields,
  matchesRequirements,
  requireSelectable,
} from '../../../../knowledge/object-selectors.ts';
import { RegaugeError } from '../../../../base/errors.ts';
import type { KubeObject } from '../../../../model/kubernetes.ts';
import { badRequest } from '../api-error.ts';
import type { Resource } from '../../../api/served-resources.ts';

export interface Selection {
  readonly labels: readonly LabelRequirement[];
  readonly fields: readonly FieldRequirement[];
  /** Whether anything is selected at all. */
  readonly isAll: boolean;
  matches(object: KubeObject): boolean;
}

export function selectionOf(resource: Resource, query: URLSearchParams): Selection {
  try {
    const labels = labelRequirements(query.get('labelSelector') ?? undefined);
    const fields = fieldRequirements(query.get('fieldSelector') ?? undefined);
    requireSelectable(resource.kind, fields);
    return {
      labels,
      fields,
      isAll: labels.length === 0 && fields.length === 0,
      matches: (object) =>
        matchesRequirements(object.metadata.labels, labels) && matchesFields(object, fields),
    };
  } catch (error) {
    if (error instanceof RegaugeError) throw badRequest(error.message);
    throw error;
  }
}

/** The node whose pods alone are asked for. */
export function selectedNode({ kind }: Resource, { fields }: Selection): string | undefined {
  if (kind !== 'Pod') return undefined;
  return fields.find(({ path, equal, value }) => path === 'spec.nodeName' && equal && value !== '')
    ?.value;
}
