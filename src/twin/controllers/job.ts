/** The Job controller, as far as a migration meets it: a pod that is lost before it ended is run again. */
import { controllerOf, type JobObject, objectKey } from '../../model/kubernetes.ts';
import { POD_COUNT } from '../store/pod-changes.ts';
import type { World } from '../world.ts';
import { activePodsOf, type PodFactory } from './pod-factory.ts';
import { splitKey, WorkQueue } from './work-queue.ts';

export class JobController {
  private readonly world: World;
  private readonly factory: PodFactory;
  private readonly queue: WorkQueue;
  /** Pods that ended well before the twin started are often gone; the status remembers them. */
  private readonly succeeded = new Map<string, Set<string>>();

  constructor(world: World, factory: PodFactory) {
    this.world = world;
    this.factory = factory;
    this.queue = new WorkQueue(world, (key) => this.sync(key));
    const { store } = world;
    store.watch('Job', ({ type, object, old }) => {
      if (type === 'added' || (type === 'modified' && object.spec !== old?.spec)) {
        this.queue.add(objectKey(object));
      }
    });
    store.watchPods({ parts: POD_COUNT, owner: 'Job' }, ({ object }) => {
      const owner = controllerOf(object);
      if (owner === undefined) return;
      if (object.status.phase === 'Succeeded') this.count(owner.uid, object.metadata.uid ?? '');
      this.queue.add(`${object.metadata.namespace ?? 'default'}/${owner.name}`);
    });
  }

  private count(job: string, pod: string): void {
    const pods = this.succeeded.get(job) ?? new Set();
    this.succeeded.set(job, pods.add(pod));
  }

  private sync(key: string): void {
    const { namespace, name } = splitKey(key);
    const job = this.world.store.get('Job', namespace, name);
    if (job === undefined || job.metadata.deletionTimestamp !== undefined) return;
    const uid = job.metadata.uid ?? '';
    const succeeded = Math.max(job.status?.succeeded ?? 0, this.succeeded.get(uid)?.size ?? 0);
    const active = activePodsOf(this.world, uid).length;
    const left = (job.spec.completions ?? 1) - succeeded;
    const wanted = Math.min(job.spec.parallelism ?? 1, left);
    let refused = false;
    for (let count = active; count < wanted && !refused; count += 1) {
      refused = !this.factory.create({
        owner: job,
        name: { prefix: `${name}-` },
        template: job.spec.template,
        component: 'job-controller',
        hold: () => this.queue.hold(key),
      });
    }
    if (refused) this.queue.retry(key);
    else this.queue.succeeded(key);
    this.writeStatus(job, succeeded);
  }

  private writeStatus(job: JobObject, succeeded: number): void {
    const active = activePodsOf(this.world, job.metadata.uid ?? '').length;
    if (job.status?.succeeded === succeeded && (job.status.active ?? 0) === active) return;
    this.world.store.update('Job', job.metadata.namespace, job.metadata.name, (object) => ({
      ...object,
      status: { ...object.status, succeeded, active },
    }));
  }
}
