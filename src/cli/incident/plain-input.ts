/**
 * A generated cluster as data that JSON can hold, and back: trees over plain data are nothing but the
 * data and its source.
 */
import { showDocuments } from '../../knowledge/talos-config/document-text.ts';
import {
  type ClusterInput,
  EMPTY_INPUT,
  type MachineConfigDocument,
  type MachineConfigInput,
  type ReadObject,
} from '../../model/cluster-input.ts';
import { plainTree } from '../../model/config-tree.ts';

type PlainObject = Omit<ReadObject, 'tree'>;

interface PlainConfig extends Omit<MachineConfigInput, 'documents'> {
  readonly documents: readonly (Omit<MachineConfigDocument, 'tree'> & {
    readonly value: unknown;
  })[];
}

export interface PlainInput {
  readonly objects: readonly PlainObject[];
  readonly machineConfigs: readonly PlainConfig[];
  readonly kindsListed?: readonly string[];
  readonly constants?: Readonly<Record<string, number>>;
}

/** Of an input whose trees all are plain ones, as `expandCluster` makes them. */
export function plainInputOf(input: ClusterInput): PlainInput {
  const { objects, machineConfigs, kindsListed, constants } = input;
  return {
    objects: objects.map(({ object, source }) => ({ object, source })),
    machineConfigs: machineConfigs.map(({ documents, ...config }) => ({
      ...config,
      text: showDocuments(documents.map(({ tree }) => tree.value)),
      documents: documents.map(({ tree, ...document }) => ({ ...document, value: tree.value })),
    })),
    ...(kindsListed === undefined ? {} : { kindsListed }),
    ...(constants === undefined ? {} : { constants }),
  };
}

export function inputOf({ objects, machineConfigs, ...rest }: PlainInput): ClusterInput {
  return {
    ...EMPTY_INPUT,
    ...rest,
    objects: objects.map(({ object, source }) => ({
      object,
      source,
      tree: plainTree(object, source),
    })),
    machineConfigs: machineConfigs.map(({ documents, ...config }) => ({
      ...config,
      documents: documents.map(({ value, ...document }) => ({
        ...document,
        tree: plainTree(value, config.source),
      })),
    })),
  };
}
