import { resources } from '#pkg/api';
import { describeController, reads } from '#pkg/controller';

export const cronJobDescription = describeController({
  name: 'cronjob-controller',
  aliases: ['cronjob'],
  flags: [
    {
      name: 'concurrent-cron-job-syncs',
      type: 'int32',
      default: 5,
      minimum: 1,
      config: 'CronJobController.ConcurrentCronJobSyncs',
      help: 'CronJobs synced at the same time; more react faster and load CPU and network more',
    },
  ],
  reads: [
    // Whole: the status is written with the object around it.
    reads(resources.cronJobs),
    reads(resources.jobs, 'status.conditions', 'status.startTime', 'status.completionTime'),
  ],
  rbac: [
    { apiGroups: ['batch'], resources: ['cronjobs'], verbs: ['get', 'list', 'update', 'watch'] },
    {
      apiGroups: ['batch'],
      resources: ['jobs'],
      verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    },
    { apiGroups: ['batch'], resources: ['cronjobs/status'], verbs: ['update'] },
    { apiGroups: ['batch'], resources: ['cronjobs/finalizers'], verbs: ['update'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['delete', 'list', 'watch'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
});
