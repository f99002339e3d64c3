/**
 * Cordon and its bookkeeping. Talos remembers a cordon of its own in an annotation and takes only
 * that one back at boot; a node cordoned by a person stays cordoned
 * (`talos:internal/app/machined/pkg/controllers/k8s/node_apply.go@v1.13.9`).
 */
import type { NodeObject } from '../../model/kubernetes.ts';
import type { World } from '../world.ts';

const CORDONED = 'talos.dev/cordoned';

export function cordonAsTalos(world: World, node: string): void {
  world.store.update('Node', undefined, node, (object) =>
    object.spec.unschedulable === true
      ? object
      : { ...withAnnotation(object, 'true'), spec: { ...object.spec, unschedulable: true } },
  );
}

/** Uncordons a node that Talos itself cordoned. */
export function uncordonOwn(world: World, node: string): void {
  world.store.update('Node', undefined, node, (object) =>
    object.metadata.annotations?.[CORDONED] === 'true'
      ? { ...withAnnotation(object, undefined), spec: withoutUnschedulable(object.spec) }
      : object,
  );
}

function withAnnotation(node: NodeObject, value: string | undefined): NodeObject {
  const { [CORDONED]: _removed, ...others } = node.metadata.annotations ?? {};
  const annotations = value === undefined ? others : { ...others, [CORDONED]: value };
  return { ...node, metadata: { ...node.metadata, annotations } };
}

function withoutUnschedulable(spec: NodeObject['spec']): NodeObject['spec'] {
  const { unschedulable: _removed, ...rest } = spec;
  return rest;
}
