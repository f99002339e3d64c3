/** What a program that is run in a container of the twin has around it. */
import type { PodObject } from '../../../model/kubernetes.ts';
import type { ExecResult } from '../../../ports/index.ts';
import type { TwinNode, World } from '../../world.ts';
import type { ContainerFiles } from './container-files.ts';

export interface ExecContext {
  readonly world: World;
  readonly node: TwinNode;
  readonly pod: PodObject;
  /** May do on the host what root may. */
  readonly isPrivileged: boolean;
  readonly files: ContainerFiles;
}

export type Program = (args: readonly string[], context: ExecContext, stdin: string) => ExecResult;
