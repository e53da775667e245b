/**
 * Events: what `kubectl describe` shows below an object. The recorder correlates, aggregates and limits them as client-go
 * does, and sends them in the background; recording never blocks, never throws, and may lose events when nobody answers
 * for long. For anything a program is to act upon, write a condition instead.
 *
 *     const recorder = createEventRecorder({ client, clock: systemClock, random: systemRandom, log, component: 'my-controller' });
 *     recorder.event(deployment, 'Normal', 'ScalingReplicaSet', 'Scaled up replica set web-1 from 0 to 3');
 *     await recorder.stop(AbortSignal.timeout(1000));
 *
 * One recorder a component: limits count by source and object, and one component's flood must not delay another's events.
 */
export { type EventRecorderOptions, createEventRecorder } from './recorder.ts';
export type { EventSource } from './new-event.ts';
export { referenceTo } from './reference.ts';
export type * from './types.ts';
