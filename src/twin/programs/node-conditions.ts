/** Conditions and taints of Node objects, written only when they change. */
import type { Condition, Taint } from '../../model/kubernetes.ts';
import type { World } from '../world.ts';

export function setNodeCondition(world: World, node: string, condition: Condition): void {
  world.store.update('Node', undefined, node, (object) => {
    const conditions = object.status.conditions ?? [];
    const old = conditions.find(({ type }) => type === condition.type);
    if (old?.status === condition.status && old.reason === condition.reason) return object;
    const others = conditions.filter(({ type }) => type !== condition.type);
    const stamped = { ...condition, lastTransitionTime: world.store.timestamp() };
    return { ...object, status: { ...object.status, conditions: [...others, stamped] } };
  });
}

export function setTaint(world: World, node: string, taint: Taint): void {
  world.store.update('Node', undefined, node, (object) => {
    const taints = object.spec.taints ?? [];
    if (taints.some(({ key, effect }) => key === taint.key && effect === taint.effect))
      return object;
    return { ...object, spec: { ...object.spec, taints: [...taints, taint] } };
  });
}

export function removeTaint(world: World, node: string, key: string): void {
  world.store.update('Node', undefined, node, (object) => {
    const taints = object.spec.taints ?? [];
    if (!taints.some((taint) => taint.key === key)) return object;
    return {
      ...object,
      spec: { ...object.spec, taints: taints.filter((taint) => taint.key !== key) },
    };
  });
}
