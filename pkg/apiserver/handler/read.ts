import type { ApiResponse } from '../exchange.ts';
import { badRequest, expired, notFound, refusal, tooLargeRevision } from '../refusals.ts';
import { type Entry, type Page, StoreError } from '../store/index.ts';
import { type Call, keyOf } from './call.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';
import { type ListQuery, parseListQuery } from './list-query.ts';
import { internalType, respondBytes, respondEntry, viewOf } from './respond.ts';
import { type Selection, select } from './selection.ts';

export function get(call: Call): ApiResponse {
  const asked = parseRevision(call.query.get('resourceVersion') ?? '');
  if (asked !== undefined && asked > call.core.store.revision) throw tooLargeRevision(asked, call.core.store.revision);
  return respondEntry(call, requireEntry(call));
}

export function requireEntry(call: Call): Entry {
  const entry = call.core.store.get(call.resource.storage, keyOf(call, call.name!));
  if (entry === undefined) throw notFound(call.resource, call.name!);
  return entry;
}

/** A revision in a get or watch; 500, as upstream has it, where it is none. */
export function parseRevision(text: string): number | undefined {
  if (text === '') return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw refusal(500, '', notARevision(text));
}

function parseListRevision(text: string): number | undefined {
  if (text !== '' && !/^\d+$/.test(text)) throw badRequest(`invalid resource version: ${notARevision(text)}`);
  return parseRevision(text);
}

function notARevision(text: string): string {
  return `resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`;
}

export function list(call: Call): ApiResponse {
  if (call.output.as === 'PartialObjectMetadata') {
    const message = `you requested PartialObjectMetadata, but the requested object is a list (${internalType(call.resource)}List)`;
    throw refusal(406, 'NotAcceptable', message);
  }
  const query = parseListQuery(call.query);
  const selection = select(call.resource, {
    ...(call.namespace === undefined ? {} : { namespace: call.namespace }),
    labelSelector: query.labelSelector,
    fieldSelector: query.fieldSelector,
  });
  const page = readPage(call, query, selection);
  return respondPage(call, page, selection, query);
}

function readPage(call: Call, query: ListQuery, selection: Selection): Page {
  const { store } = call.core;
  const asked = parseListRevision(query.resourceVersion);
  if (query.continue !== null && query.continue !== '') {
    if (asked !== undefined && asked !== 0)
      throw badRequest('specifying resource version is not allowed when using continue');
    const { revision, startAfter } = decodeContinue(query.continue, call.namespace);
    return pageAt(call, selection, query.limit, revision, startAfter);
  }
  if (asked !== undefined && asked > store.revision) throw tooLargeRevision(asked, store.revision);
  if (query.resourceVersionMatch === 'Exact') return pageAt(call, selection, query.limit, asked);
  // A list from the cache ("any revision will do") is given whole, whatever the limit.
  const limit = query.resourceVersion === '0' ? undefined : query.limit;
  // With a limit, a revision that is named without saying how is meant exactly.
  const exact = limit !== undefined && asked !== undefined && asked > 0 && query.resourceVersionMatch === '';
  return pageAt(call, selection, limit, exact ? asked : undefined);
}

function pageAt(
  call: Call,
  selection: Selection,
  limit: number | undefined,
  revision?: number,
  startAfter?: string,
): Page {
  const { store } = call.core;
  try {
    return store.page(call.resource.storage, {
      ...selection.scope,
      ...(selection.all ? {} : { matches: selection.matches }),
      ...(limit === undefined ? {} : { limit }),
      ...(revision === undefined ? {} : { revision }),
      ...(startAfter === undefined ? {} : { startAfter }),
    });
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'Expired') throw error;
    if (startAfter === undefined) throw expired(`The resourceVersion for the provided list is too old.`);
    throw expiredContinue(startAfter, call.namespace);
  }
}

const CONTINUE_EXPIRED =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.';

/** Carries the token with which the rest can be had as it is now. */
function expiredContinue(startAfter: string, namespace: string | undefined): Error {
  const error = expired(CONTINUE_EXPIRED);
  const metadata = { continue: encodeContinue(undefined, startAfter, namespace) };
  return Object.assign(error, { data: { ...error.data, body: { ...error.data.body, metadata } } });
}

function respondPage(call: Call, page: Page, selection: Selection, query: ListQuery): ApiResponse {
  const view = viewOf(call);
  const metadata = {
    ...view.listMetadata(),
    resourceVersion: String(page.revision),
    ...(page.last === undefined ? {} : { continue: encodeContinue(page.revision, page.last, call.namespace) }),
    ...(page.last === undefined || !selection.all || query.limit === undefined
      ? {}
      : { remainingItemCount: page.remaining }),
  };
  if (call.output.as === 'Table') {
    return respondBytes(call, Buffer.from(JSON.stringify(view.table(page.entries, metadata))));
  }
  const parts: Buffer[] = [Buffer.from(`${JSON.stringify({ ...view.listType(), metadata }).slice(0, -1)},"items":[`)];
  for (const [index, entry] of page.entries.entries()) {
    if (index > 0) parts.push(COMMA);
    parts.push(view.encodeItem(entry));
  }
  parts.push(END);
  return respondBytes(call, Buffer.concat(parts));
}

const COMMA = Buffer.from(',');
const END = Buffer.from(']}');
