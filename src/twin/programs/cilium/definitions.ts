/**
 * The kinds of Cilium: no chart brings them, the operator registers them when it starts, before it
 * leads, and nobody takes them away again (cilium:operator/cmd/root.go, pkg/k8s/apis/crdhelpers@v1.18).
 */
import { servedNodeConfigVersions } from '../../../knowledge/cilium-versions.ts';
import type { KubeObject } from '../../../model/kubernetes.ts';
import type { World } from '../../world.ts';

interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly versions: readonly string[];
}

const V2 = ['v2'] as const;

const KINDS: readonly Kind[] = [
  { kind: 'CiliumNode', plural: 'ciliumnodes', namespaced: false, versions: V2 },
  { kind: 'CiliumIdentity', plural: 'ciliumidentities', namespaced: false, versions: V2 },
  { kind: 'CiliumEndpoint', plural: 'ciliumendpoints', namespaced: true, versions: V2 },
  { kind: 'CiliumNetworkPolicy', plural: 'ciliumnetworkpolicies', namespaced: true, versions: V2 },
  {
    kind: 'CiliumClusterwideNetworkPolicy',
    plural: 'ciliumclusterwidenetworkpolicies',
    namespaced: false,
    versions: V2,
  },
];

/** `chartVersion` as the operator's image has it: `1.18.3`. */
export function registerKinds({ store }: World, chartVersion: string): void {
  const versions = servedNodeConfigVersions(chartVersion).map((each) => each.replace(/^.*\//, ''));
  const nodeConfigs = {
    kind: 'CiliumNodeConfig',
    plural: 'ciliumnodeconfigs',
    namespaced: true,
    versions,
  };
  for (const kind of [...KINDS, nodeConfigs]) {
    const definition = definitionOf(kind);
    const { name } = definition.metadata;
    if (store.get<string>(definition.kind, undefined, name) === undefined) store.create(definition);
  }
}

function definitionOf({ kind, plural, namespaced, versions }: Kind): KubeObject {
  const singular = kind.toLowerCase();
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.cilium.io` },
    spec: {
      group: 'cilium.io',
      names: { kind, plural, singular, listKind: `${kind}List` },
      scope: namespaced ? 'Namespaced' : 'Cluster',
      versions: versions.map((name, index) => ({
        name,
        served: true,
        storage: index === 0,
        schema: {
          openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      })),
    },
    status: {
      conditions: [
        { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts' },
        { type: 'Established', status: 'True', reason: 'InitialNamesAccepted' },
      ],
    },
  };
  return definition;
}
