/** Applies, deletes and restores objects. */
import { canonicalJson } from '../base/canonical-json.ts';
import type { KubeObject } from '../model/kubernetes.ts';
import { type ObjectSelector, selectorOf } from '../model/plan.ts';
import type { KubernetesPort } from '../ports/index.ts';
import { rolledOut } from './roll-out.ts';
import {
  type ActionOf,
  fails,
  HOLDS,
  type StepContext,
  type StepModule,
  verifyByObserving,
} from './step-module.ts';

export const applyObjects: StepModule<'apply-objects'> = {
  async observe({ ports }, { objects }) {
    for (const object of objects) {
      const found = await ports.kubernetes.get(selectorOf(object));
      if (found === undefined || !includes(found, object)) return 'todo';
    }
    return 'done';
  },

  async act({ ports }, { objects }) {
    for (const object of objects) await ports.kubernetes.apply(object);
  },

  verify: (context, action) =>
    verifyByObserving(applyObjects, context, action, 'an object is not as applied'),

  undo: ({ objects }) => ({ kind: 'delete-objects', objects: objects.map(selectorOf) }),
};

export const deleteObjects: StepModule<'delete-objects'> = {
  async observe({ ports }, { objects }) {
    return (await firstPresent(ports.kubernetes, objects)) === undefined ? 'done' : 'todo';
  },

  async act({ ports }, { objects }) {
    for (const selector of objects) await ports.kubernetes.delete(selector);
  },

  async verify({ ports }, { objects }) {
    const present = await firstPresent(ports.kubernetes, objects);
    return present === undefined ? HOLDS : fails(`${present.kind} ${present.name} is there still`);
  },

  undo: () => null,
};

/** Done when everything is there again and what runs of it is ready. */
export const restoreObjects: StepModule<'restore-objects'> = {
  async observe(context, action) {
    const saved = await savedOf(context, action);
    if (saved === undefined) return { blocked: `there is no back-up of step ${action.backup}` };
    for (const object of saved) {
      const found = await context.ports.kubernetes.get(selectorOf(object));
      if (found?.metadata.deletionTimestamp !== undefined || found === undefined) return 'todo';
      if (!rolledOut(found).holds) return 'todo';
    }
    return 'done';
  },

  async act(context, action) {
    const { kubernetes } = context.ports;
    for (const object of (await savedOf(context, action)) ?? []) {
      if ((await kubernetes.get(selectorOf(object))) === undefined) await kubernetes.apply(object);
    }
  },

  verify: (context, action) =>
    verifyByObserving(restoreObjects, context, action, 'what was restored is not ready yet'),

  undo: () => null,
};

/** What the back-up has of the objects, namespaces first. */
async function savedOf(
  { backups }: StepContext,
  { backup, objects }: ActionOf<'restore-objects'>,
): Promise<readonly KubeObject[] | undefined> {
  const wanted = new Set(objects.map(keyOf));
  const saved = await backups.read(backup);
  return saved
    ?.filter((object) => wanted.has(keyOf(selectorOf(object))))
    .toSorted(
      (left, right) => Number(right.kind === 'Namespace') - Number(left.kind === 'Namespace'),
    );
}

function keyOf({ kind, namespace = '', name }: ObjectSelector): string {
  return `${kind} ${namespace}/${name}`;
}

async function firstPresent(
  kubernetes: KubernetesPort,
  objects: readonly ObjectSelector[],
): Promise<ObjectSelector | undefined> {
  for (const selector of objects) {
    if ((await kubernetes.get(selector)) !== undefined) return selector;
  }
  return undefined;
}

/** Everything in `wanted` is in `present`; lists are compared whole. */
export function includes(present: unknown, wanted: unknown): boolean {
  if (wanted === null || typeof wanted !== 'object') return present === wanted;
  if (Array.isArray(wanted)) return canonicalJson(present) === canonicalJson(wanted);
  if (present === null || typeof present !== 'object' || Array.isArray(present)) return false;
  const held = present as Readonly<Record<string, unknown>>;
  return Object.entries(wanted).every(([key, value]) => includes(held[key], value));
}
