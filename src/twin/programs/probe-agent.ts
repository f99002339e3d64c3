/**
 * The probe agent (src/probe-agent), played: an ordinary process that prints what steady probes from
 * its place would have met. A line is made when somebody reads; an unread log costs nothing.
 */
import { AGENT_PATH } from '../../knowledge/probes/objects.ts';
import type { Container } from '../../model/kubernetes.ts';
import { agentLine } from '../ports/played-agents.ts';
import type { Process, ProcessHost } from '../world.ts';
import { app } from './app.ts';

/** By what the container runs, whatever image brings `node`. */
export function runsProbeAgent({ command }: Container): boolean {
  return command?.includes(AGENT_PATH) === true;
}

export function probeAgent(host: ProcessHost): Process {
  return new ProbeAgent(host);
}

class ProbeAgent implements Process {
  private readonly host: ProcessHost;
  private readonly process: Process;
  private readonly startedAt: number;
  private printedAt = -1;

  constructor(host: ProcessHost) {
    this.host = host;
    this.process = app(host);
    this.startedAt = host.world.kernel.now();
  }

  beforeRead(): void {
    const { world, pod, node, container } = this.host;
    const now = world.kernel.now();
    if (now === this.printedAt) return;
    this.printedAt = now;
    const end = container.command?.at(-1) === 'host' ? 'host' : 'pod';
    this.host.log(JSON.stringify(agentLine(world, { pod, node, end, startedAt: this.startedAt })));
  }

  stop(reason: 'terminated' | 'power-lost'): void {
    this.process.stop(reason);
  }
}
