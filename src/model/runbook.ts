/**
 * What a person meant to type, as data, so that it can be rehearsed (contract: Runbook). The shape
 * of each step is in `runbook-schema.ts`; this is what the rest of the program sees.
 */
export interface Runbook {
  readonly apiVersion: 'regauge.dev/v1';
  readonly kind: 'Runbook';
  readonly name?: string;
  readonly description?: string;
  readonly steps: readonly RunbookStep[];
}

interface StepCommon {
  readonly title?: string;
  /** `quote`: the person's own words. `assumed`: not told, but what is told needs it; says why. */
  readonly reading?: { readonly kind: 'quote' | 'corrected' | 'assumed'; readonly why?: string };
  /** The person would go on although this command fails (default: true, as people do). */
  readonly continueOnError?: boolean;
}

export type RunbookStep = StepCommon &
  (
    | { readonly helm: HelmCommand }
    | { readonly kubectl: KubectlCommand }
    | { readonly talos: TalosCommand }
    | { readonly files: FilesCommand }
    | { readonly wait: WaitCommand }
    /** A command that only reads, as typed: kept for the order of things, it changes nothing. */
    | { readonly look: string }
  );

export type HelmCommand =
  | {
      readonly action: 'install' | 'upgrade';
      readonly release: string;
      readonly namespace: string;
      readonly chart: string;
      readonly version: string;
      readonly values: Readonly<Record<string, unknown>>;
      /** Laid over the values that the release has. */
      readonly reuseValues?: boolean;
      /** `--wait`: until its workloads are ready; `atomic` takes a failure back. */
      readonly wait?: boolean;
      readonly atomic?: boolean;
      readonly timeoutSeconds?: number;
    }
  | { readonly action: 'uninstall'; readonly release: string; readonly namespace: string }
  | {
      readonly action: 'rollback';
      readonly release: string;
      readonly namespace: string;
      readonly revision?: number;
    };

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

export type KubectlCommand =
  | { readonly action: 'apply'; readonly objects: readonly Readonly<Record<string, unknown>>[] }
  | {
      readonly action: 'delete';
      readonly kind: string;
      readonly namespace?: string;
      readonly name?: string;
      readonly selector?: string;
      /** Only pods of this node (`--field-selector spec.nodeName=…`). */
      readonly onNode?: string;
      /** Every object of the kind (`--all`). */
      readonly all?: boolean;
      readonly force?: boolean;
    }
  | {
      readonly action: 'patch';
      readonly kind: string;
      readonly namespace?: string;
      readonly name: string;
      readonly patch: Readonly<Record<string, unknown>>;
    }
  | {
      readonly action: 'rollout-restart';
      readonly kind: string;
      readonly namespace: string;
      /** Without it every workload of the kind in the namespace. */
      readonly name?: string;
      readonly selector?: string;
    }
  | {
      readonly action: 'rollout-status';
      readonly kind: string;
      readonly namespace: string;
      readonly name: string;
      readonly timeoutSeconds?: number;
    }
  | {
      readonly action: 'wait';
      /** `deleted`, or a condition of the status with the value waited for. */
      readonly until: 'deleted' | { readonly condition: string; readonly status: string };
      readonly kind: string;
      readonly namespace?: string;
      readonly name?: string;
      readonly selector?: string;
      readonly timeoutSeconds: number;
    }
  | {
      readonly action: 'label';
      readonly kind: string;
      readonly namespace?: string;
      readonly name: string;
      readonly labels: Readonly<Record<string, string | null>>;
    }
  | {
      readonly action: 'annotate';
      readonly kind: string;
      readonly namespace?: string;
      readonly name: string;
      readonly annotations: Readonly<Record<string, string | null>>;
    }
  | {
      readonly action: 'taint';
      readonly node: string;
      readonly add: readonly Taint[];
      /** By key, or by key and effect. */
      readonly remove: readonly { readonly key: string; readonly effect?: string }[];
    }
  | {
      readonly action: 'scale';
      readonly kind: string;
      readonly namespace: string;
      readonly name: string;
      readonly replicas: number;
    }
  | { readonly action: 'cordon' | 'uncordon'; readonly node: string }
  | {
      readonly action: 'drain';
      readonly node: string;
      readonly timeoutSeconds?: number;
      readonly force?: boolean;
      readonly ignoreDaemonsets?: boolean;
      readonly deleteEmptydirData?: boolean;
    };

export type TalosCommand =
  | {
      readonly action: 'patch';
      /** Node names or addresses; `all`, `control-planes`, `workers`. */
      readonly nodes: readonly string[];
      /** One machine config patch document, as text, so that errors point into it. */
      readonly patch: string;
      readonly mode?: 'auto' | 'no-reboot' | 'reboot' | 'staged' | 'try';
    }
  | {
      readonly action: 'upgrade';
      readonly nodes: readonly string[];
      readonly image: string;
      readonly preserve?: boolean;
      readonly wait?: boolean;
    }
  | { readonly action: 'reboot'; readonly nodes: readonly string[]; readonly wait?: boolean }
  | {
      readonly action: 'service-restart';
      readonly nodes: readonly string[];
      readonly service: string;
    }
  | { readonly action: 'upgrade-k8s'; readonly to?: string };

export interface FilesCommand {
  readonly nodes: readonly string[];
  readonly changes: readonly (
    | { readonly write: string; readonly content: string; readonly mode?: number }
    | { readonly remove: string }
    | { readonly rename: string; readonly to: string }
  )[];
}

export interface WaitCommand {
  readonly seconds: number;
}
