/**
 * One execution of a CNI plugin: what it is given (environment and configuration on standard input)
 * and what comes back.
 */
import type { JsonObject } from '../../knowledge/go-json.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { SandboxRequest } from '../world.ts';
import type { Container } from './cni-state.ts';
import type { Run } from './run.ts';

export type Verb = 'ADD' | 'DEL' | 'CHECK' | 'STATUS' | 'GC' | 'VERSION';

/** What a call acts on: one interface of one sandbox. */
export interface Attach {
  readonly container: Container;
  /** Whether it has a network namespace. */
  readonly hasNetns: boolean;
  /** Empty when the namespace is gone (`CNI_NETNS=""`). */
  readonly netns: string;
  readonly ifName: string;
  /** The runtime's portMappings. */
  readonly ports: SandboxRequest['hostPorts'];
}

/** What a plugin is given at every call of one network. */
export interface PluginSettings {
  readonly conf: JsonObject;
  /** Network name and version, injected into every plugin's configuration. */
  readonly name: string;
  readonly cniVersion: string;
  /** It declares the capability `portMappings`, and so is told the runtime's. */
  readonly mapsPorts: boolean;
}

export interface PluginCall extends PluginSettings {
  readonly verb: Verb;
  readonly attach: Attach;
  readonly previous: CniResult | undefined;
}

/**
 * A plugin with its settings read, for the calls that are made for every pod. It holds as long as no
 * file of the node changes.
 */
export interface ReadyPlugin {
  add(attach: Attach, previous: CniResult | undefined): PluginRun;
  del(attach: Attach, previous: CniResult | undefined): PluginRun;
}

export interface ResultAddress {
  readonly address: string;
  /** Index into `interfaces`; undefined when the plugin did not say. */
  onInterface: number | undefined;
  /** With the prefix length: `10.244.1.1/24`. */
  readonly gateway: string | undefined;
}

/** What a plugin prints; it belongs to the caller, which may add to it. */
export interface CniResult {
  readonly kind: 'result';
  /** Empty when the plugin did not say; then it is the configuration's. */
  cniVersion: string;
  /** Interface names. */
  interfaces: readonly string[];
  readonly addresses: readonly ResultAddress[];
  /** Whether the pod can answer beyond its own subnet. */
  defaultRoute: boolean;
}

export interface PluginFailure {
  readonly kind: 'failed';
  readonly message: string;
  /** Printed by a plugin as a CNI error, which callers pass on without adding words. */
  readonly printed: boolean;
  /** Code in the CNI error; 0 when none. */
  readonly code: number;
  readonly because: readonly OccurrenceId[];
}

/** `done`: without a word, as after DEL. */
export type PluginOutcome = CniResult | { readonly kind: 'done' } | PluginFailure;

export type PluginRun = Run<PluginOutcome>;

const NO_CAUSES: readonly OccurrenceId[] = [];
export const NO_PORTS: SandboxRequest['hostPorts'] = [];

/** `runtimeConfig.portMappings` of a call. */
export function portsOf(mapsPorts: boolean, attach: Attach): SandboxRequest['hostPorts'] {
  return mapsPorts ? attach.ports : NO_PORTS;
}

/** Apart from the call they came with, which need not be kept. */
export function settingsOf({ conf, name, cniVersion, mapsPorts }: PluginSettings): PluginSettings {
  return { conf, name, cniVersion, mapsPorts };
}

export function callOf(
  verb: Verb,
  { conf, name, cniVersion, mapsPorts }: PluginSettings,
  attach: Attach,
  previous: CniResult | undefined,
): PluginCall {
  return { verb, attach, conf, name, cniVersion, mapsPorts, previous };
}

export const DONE: PluginOutcome = { kind: 'done' };

/** A plugin's own error: `msg`, then `; details` when there are some (`cni:pkg/types/types.go`). */
export function failed(
  message: string,
  because: readonly OccurrenceId[] = NO_CAUSES,
  code = 999,
): PluginFailure {
  return { kind: 'failed', message, printed: true, code, because };
}

/** An error of the library that looked for or started the plugin. */
export function notRun(
  message: string,
  because: readonly OccurrenceId[] = NO_CAUSES,
): PluginFailure {
  return { kind: 'failed', message, printed: false, code: 0, because };
}

export interface CallTrace {
  readonly verb: Verb;
  readonly plugin: string;
  readonly network: string;
  readonly ifName: string;
  readonly netns: string;
  /** Undefined for a script, which is noted when it starts. */
  readonly exitCode: number | undefined;
}
