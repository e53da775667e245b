import { setTimeout as delay } from 'node:timers/promises';

import { type HttpAnswer, type HttpRequest, notFound, text } from './http.ts';

/** Longest profile, seconds: who asked may be gone. */
const LONGEST = 300;
const INDEX = `Profiles of this process, in V8's own formats. Open them in Chrome's developer tools, or in VS Code.

/debug/pprof/profile?seconds=30   CPU, .cpuprofile
/debug/pprof/heap?seconds=30      allocations while it runs that are still in use at its end, .heapprofile
/debug/pprof/heapsnapshot         not served: it holds the text of secrets. Start node with --heapsnapshot-signal
/debug/pprof/cmdline              the command line
`;

/** One at a time: the inspector's session is shared with nobody, and two would measure each other. */
let busy = false;

/**
 * CPU and heap profiles through Node's inspector under the paths of Go's pprof. The format is V8's JSON, since a profile
 * of JavaScript has no addresses that pprof could resolve.
 */
export async function profiling(request: HttpRequest): Promise<HttpAnswer> {
  const name = request.path.replace(/^\/debug\/pprof\/?/, '');
  switch (name) {
    case '':
      return text(200, INDEX);
    case 'cmdline':
      return text(200, process.argv.join('\0'));
    case 'profile':
      return record(request, ['Profiler.enable', 'Profiler.start'], 'Profiler.stop', 'cpuprofile');
    case 'heap':
      return record(
        request,
        ['HeapProfiler.enable', 'HeapProfiler.startSampling'],
        'HeapProfiler.stopSampling',
        'heapprofile',
      );
    default:
      return notFound;
  }
}

async function record(
  request: HttpRequest,
  start: readonly string[],
  stop: string,
  extension: string,
): Promise<HttpAnswer> {
  const seconds = Number(request.query.get('seconds') ?? 30);
  if (!(seconds > 0 && seconds <= LONGEST)) return text(400, `seconds must be above 0 and at most ${LONGEST}\n`);
  if (busy) return text(409, 'another profile is being taken\n');
  busy = true;
  // Loaded only here: the inspector costs memory from its first use on.
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  try {
    session.connect();
    const post = session.post.bind(session) as (method: string) => Promise<object>;
    for (const method of start) await post(method);
    await delay(seconds * 1000, undefined, { signal: request.signal }).catch(() => {});
    const { profile } = (await post(stop)) as { profile?: object };
    const headers = {
      'content-type': 'application/json',
      'content-disposition': `attachment; filename="profile.${extension}"`,
    };
    return { status: 200, headers, body: JSON.stringify(profile) };
  } finally {
    session.disconnect();
    busy = false;
  }
}
