/**
 * The three functions of the metadata proposal that `tsyringe` (under `@peculiar/x509`) asks for
 * when it is loaded; import it first. Nothing of ours stores metadata.
 */

const metadata = new WeakMap<object, Map<unknown, unknown>>();

function lookUp(key: unknown, target: object): unknown {
  return metadata.get(target)?.get(key);
}

function define(key: unknown, value: unknown, target: object): void {
  let entries = metadata.get(target);
  if (entries === undefined) metadata.set(target, (entries = new Map()));
  entries.set(key, value);
}

// The proposal puts them on `Reflect`, where the library looks.
if (!('getMetadata' in Reflect)) {
  Object.assign(Reflect, { getMetadata: lookUp, getOwnMetadata: lookUp, defineMetadata: define });
}
