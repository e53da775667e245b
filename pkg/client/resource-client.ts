import { parseJson } from '#pkg/base';
import { type KubeObject, type NamespacedName, type ResourceType, apiVersionOf } from '#pkg/api';
import type { Clock } from '#pkg/base';

import { Breather } from './breather.ts';
import { type Call, type Caller, parseAnswer } from './caller.ts';
import type { CallOptions, ListOptions, ReadOptions, ResourceClient, WatchOptions, WriteOptions } from './client.ts';
import { parseBytes, parseMetadata, skipSpace } from './json-bytes.ts';
import { decodeList } from './list-decoder.ts';
import {
  PATCH_CONTENT_TYPES,
  acceptHeader,
  createPath,
  deleteBody,
  listPath,
  objectPath,
  patchQuery,
  watchPath,
  writeQuery,
} from './request-paths.ts';
import { decodeWatch } from './watch-decoder.ts';

export interface ResourceClientParts {
  readonly caller: Caller;
  readonly clock: Clock;
  readonly userAgent: string;
  /** Until a watch opens, ms. */
  readonly timeout: number;
}

interface WriteDetails {
  readonly contentType?: string;
  readonly name?: string;
  readonly encoded?: string | undefined;
}

const wholeIn = (bytes: Buffer): unknown => parseJson(bytes.toString('utf8'));

/** The typed verbs on one resource. */
export function resourceClient<T extends KubeObject>(
  type: ResourceType<T>,
  parts: ResourceClientParts,
): ResourceClient<T> {
  const { caller, userAgent } = parts;

  function read(path: string, accept: string, options: CallOptions, name?: string): Call {
    return {
      method: 'GET',
      path,
      headers: { accept, 'user-agent': userAgent },
      lane: options.lane ?? 'read',
      subject: { verb: 'GET', group: type.group, resource: type.resource, ...(name ? { name } : {}) },
      signal: options.signal,
      timeout: options.timeout,
    };
  }

  function writing(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body: unknown,
    options: CallOptions,
    details: WriteDetails,
  ): Call {
    const { contentType = 'application/json', name, encoded } = details;
    return {
      method,
      path,
      headers: { accept: 'application/json', 'content-type': contentType, 'user-agent': userAgent },
      body: encoded ?? JSON.stringify(body),
      lane: options.lane ?? 'write',
      subject: { verb: method, group: type.group, resource: type.resource, ...(name ? { name } : {}) },
      signal: options.signal,
      timeout: options.timeout,
    };
  }

  async function write(
    method: 'POST' | 'PUT' | 'PATCH',
    path: string,
    body: unknown,
    options: WriteOptions,
    details: WriteDetails,
  ): Promise<T> {
    const call = writing(method, path, body, options, details);
    return parseAnswer(await caller.exchange(call), call, options.metadataOnly ? metadataIn : wholeIn) as T;
  }

  function metadataIn(bytes: Buffer): unknown {
    const metadata = parseMetadata(bytes);
    return metadata === undefined ? wholeIn(bytes) : { apiVersion: apiVersionOf(type), kind: type.kind, metadata };
  }

  /** Objects out of typed lists carry no kind; servers of custom resources insist on it. */
  const withKind = (object: object): object => ({ apiVersion: apiVersionOf(type), kind: type.kind, ...object });

  const put = async (object: T, options: WriteOptions, subresource?: string): Promise<T> => {
    const path = objectPath(type, object.metadata, subresource) + writeQuery(options);
    return write('PUT', path, withKind(object), options, { name: object.metadata.name });
  };

  return {
    async get(name: NamespacedName, options: ReadOptions = {}) {
      const call = read(objectPath(type, name), acceptHeader(options.metadataOnly, false), options, name.name);
      const drop = options.dropManagedFields === true;
      return parseAnswer(await caller.exchange(call), call, (bytes) =>
        parseBytes(bytes, 0, bytes.length, drop ? skipSpace(bytes, 0, bytes.length) : -1),
      ) as T;
    },

    async list(options: ListOptions = {}) {
      const answer = await caller.exchange(
        read(listPath(type, options), acceptHeader(options.metadataOnly, true), options),
      );
      return decodeList<T>(answer.body, {
        dropManagedFields: options.dropManagedFields === true,
        keep: options.keep,
        // As out of a watch: whoever is handed an object, for an event or an owner reference, is to know what it is.
        complete: (item) =>
          item.kind === undefined ? { apiVersion: apiVersionOf(type), kind: type.kind, ...item } : item,
        breather: new Breather(parts.clock),
      });
    },

    watch(options: WatchOptions = {}) {
      const open = async (): Promise<AsyncIterable<Uint8Array>> => {
        const accept = acceptHeader(options.metadataOnly, false);
        const call = read(watchPath(type, options), accept, { ...options, timeout: options.timeout ?? parts.timeout });
        return (await caller.stream(call)).body;
      };
      return decodeWatch<T>(open, options, new Breather(parts.clock));
    },

    create: async (object, options = {}) =>
      write('POST', createPath(type, object.metadata.namespace, options), withKind(object), options, {
        encoded: options.encoded,
      }),

    update: (object, options = {}) => put(object, options),

    updateStatus: (object, options = {}) => put(object, options, 'status'),

    patch: async (name, patchType, body, options = {}) =>
      write('PATCH', objectPath(type, name, options.subresource) + patchQuery(options), body, options, {
        contentType: PATCH_CONTENT_TYPES[patchType],
        name: name.name,
      }),

    async delete(name, options = {}) {
      // What comes back, often the whole object, is of no use to anyone.
      await caller.exchange(
        writing('DELETE', objectPath(type, name), deleteBody(options), options, { name: name.name }),
      );
    },
  };
}
