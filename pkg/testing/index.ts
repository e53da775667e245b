/**
 * What tests and benchmarks share: a fake clock, contract suites, fault injection. Production code never imports it.
 *
 *     const clock = new FakeClock('2026-01-02T03:04:05Z');
 *     const waiting = sleep(clock, 1000);
 *     await clock.step(1000);
 *     await waiting;
 */
export { FakeClock, settle } from './fake-clock.ts';
export { ScriptedCollection, type ScriptedRequest, refusal } from './scripted-collection.ts';
export * from './workloads.ts';
export { RecordedEvents } from './recorded-events.ts';
