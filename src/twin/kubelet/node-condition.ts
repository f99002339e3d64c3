/**
 * The runtime as the kubelet knows it, and the Node's Ready condition. The kubelet asks the runtime
 * every 5 s and reports its node every 10 s (KK kubelet.go, nodestatus/setters.go), so a change is
 * seen some seconds late. Nothing ticks: a change of the runtime sets off the next look.
 */
import type { Condition, NodeObject } from '../../model/kubernetes.ts';
import type { NetworkStatus } from '../world.ts';
import { type KubeletContext, whenApiAnswers } from './kubelet-context.ts';
import { beatAfter, phaseOf } from './rhythm.ts';

const READY_TEXT = 'kubelet is posting ready status';

/** The words the kubelet puts before a runtime's own. */
export function networkNotReadyText(status: NetworkStatus): string {
  return `container runtime network not ready: NetworkReady=false reason:${status.reason} message:${status.message}`;
}

export class RuntimeWatch {
  /** As of the last look. */
  known: NetworkStatus = { ready: true, reason: '', message: '', because: [] };
  private readonly context: KubeletContext;
  private readonly onChange: (status: NetworkStatus) => void;
  private readonly pollPhase: number;
  private readonly statusPhase: number;
  private lookPlanned = false;
  private reportPlanned = false;
  private epoch = 0;
  private listening = false;

  constructor(context: KubeletContext, onChange: (status: NetworkStatus) => void) {
    const { kubeletStatusPollMs, nodeStatusPeriodMs } = context.world.constants;
    this.context = context;
    this.onChange = onChange;
    this.pollPhase = phaseOf(`${context.nodeName}/poll`, kubeletStatusPollMs);
    this.statusPhase = phaseOf(`${context.nodeName}/status`, nodeStatusPeriodMs);
  }

  /** The kubelet starts (or has long been running): looks now and reports what differs. */
  start(): void {
    this.context.shuttingDown = false;
    this.epoch += 1;
    this.lookPlanned = false;
    this.reportPlanned = false;
    this.listen();
    this.known = this.context.node.runtime.networkStatus();
    whenApiAnswers(this.context.world, () => this.report());
  }

  stop(): void {
    this.epoch += 1;
  }

  /** The node is to go down: that is told at once. */
  shuttingDown(): void {
    this.context.shuttingDown = true;
    whenApiAnswers(this.context.world, () => this.report());
  }

  private listen(): void {
    const { runtime } = this.context.node;
    if (runtime.onStatusChange === undefined) {
      this.planLook();
      return;
    }
    if (this.listening) return;
    this.listening = true;
    runtime.onStatusChange(() => {
      if (this.context.running) this.planLook();
    });
  }

  private planLook(): void {
    if (this.lookPlanned) return;
    this.lookPlanned = true;
    const { kernel, world } = this.context;
    const { epoch } = this;
    const at = beatAfter(kernel.now(), this.pollPhase, world.constants.kubeletStatusPollMs);
    kernel.after(at - kernel.now(), () => {
      if (epoch !== this.epoch) return;
      this.lookPlanned = false;
      this.look();
    });
  }

  private look(): void {
    const { runtime } = this.context.node;
    const status = runtime.networkStatus();
    if (runtime.onStatusChange === undefined) this.planLook();
    if (status.ready === this.known.ready && status.message === this.known.message) return;
    this.known = status;
    this.planReport();
    this.onChange(status);
  }

  private planReport(): void {
    if (this.reportPlanned) return;
    this.reportPlanned = true;
    const { kernel, world } = this.context;
    const { epoch } = this;
    const at = beatAfter(kernel.now(), this.statusPhase, world.constants.nodeStatusPeriodMs);
    kernel.after(at - kernel.now(), () => {
      if (epoch !== this.epoch) return;
      this.reportPlanned = false;
      whenApiAnswers(world, () => this.report());
    });
  }

  private report(): void {
    const { world, nodeName, kernel } = this.context;
    const node = world.store.get('Node', undefined, nodeName);
    if (node === undefined || !this.context.running) return;
    const condition = this.condition(world.store.timestamp());
    const old = readyCondition(node);
    if (old?.status === condition.status && old.message === condition.message) return;
    kernel.because(kernel.causes, () => {
      kernel.occur(condition.status === 'True' ? 'node.ready' : 'node.not-ready', {
        node: nodeName,
        subject: { kind: 'Node', name: nodeName },
        message: `Node ${nodeName} Ready=${condition.status}: ${condition.message ?? ''}`,
        because: this.known.because,
      });
      world.store.update('Node', undefined, nodeName, (object) => withReady(object, condition));
    });
  }

  private condition(now: string): Condition {
    const { known, context } = this;
    const errors = [
      ...(known.ready ? [] : [networkNotReadyText(known)]),
      ...(context.shuttingDown ? ['node is shutting down'] : []),
    ];
    const [first] = errors;
    if (first === undefined) return readyOf('True', 'KubeletReady', READY_TEXT, now);
    const text = errors.length === 1 ? first : `[${errors.join(', ')}]`;
    return readyOf('False', 'KubeletNotReady', text, now);
  }
}

export function readyCondition(node: NodeObject): Condition | undefined {
  return node.status.conditions?.find((condition) => condition.type === 'Ready');
}

export function readyOf(
  status: Condition['status'],
  reason: string,
  message: string,
  now: string,
): Condition {
  return { type: 'Ready', status, reason, message, lastTransitionTime: now };
}

/** The node with this Ready condition; the time of transition stays when the status does. */
export function withReady(node: NodeObject, condition: Condition): NodeObject {
  const old = readyCondition(node);
  const since = old?.status === condition.status ? old.lastTransitionTime : undefined;
  const next = since === undefined ? condition : { ...condition, lastTransitionTime: since };
  const others = (node.status.conditions ?? []).filter(({ type }) => type !== 'Ready');
  return { ...node, status: { ...node.status, conditions: [...others, next] } };
}
