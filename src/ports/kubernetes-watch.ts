/** Watching a kind: what a watch is asked for, and what it tells. */
import type { KubeObject } from '../model/kubernetes.ts';
import type { ListOptions } from './kubernetes-calls.ts';

export interface WatchOptions extends ListOptions {
  /** Of a list or of an earlier event. Changes after it are told. */
  readonly resourceVersion: string;
}

export type WatchEvent<T extends KubeObject> =
  | {
      readonly type: 'added' | 'modified' | 'deleted';
      /** For `deleted`, the last version. */
      readonly object: T;
      /** A later watch may begin here. */
      readonly resourceVersion: string;
    }
  /** Nothing changed, but the watch has come this far. */
  | { readonly type: 'bookmark'; readonly resourceVersion: string };
