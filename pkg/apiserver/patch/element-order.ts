import { ownValue } from '#pkg/base';
import { isJsonObject } from '../json.ts';

/** What tells an item apart: the value of its merge key, or itself where the list is of plain values. */
export function keyed(item: unknown, mergeKey: string | undefined): unknown {
  return mergeKey !== undefined && isJsonObject(item) ? ownValue(item, mergeKey) : item;
}

export function deduplicate(items: readonly unknown[]): unknown[] {
  return [...new Set(items)];
}

/** `items` sorted by where their keys first stand in `order`; those not there keep their places among themselves, last. */
export function ordered(items: readonly unknown[], order: readonly unknown[], mergeKey: string | undefined): unknown[] {
  const places = placesOf(order, mergeKey);
  const placeOf = (item: unknown): number => places.get(keyed(item, mergeKey)) ?? order.length;
  return items.toSorted((a, b) => placeOf(a) - placeOf(b));
}

/**
 * Weaves the server's items into the patch's, keeping both orders: one of the server's goes ahead only where it stood
 * before the patch's next item on the server too.
 */
export function combine(
  server: readonly unknown[],
  patch: readonly unknown[],
  serverOrder: readonly unknown[],
  mergeKey: string | undefined,
): unknown[] {
  const places = placesOf(serverOrder, mergeKey);
  const result: unknown[] = [];
  let next = 0;
  for (const item of patch) {
    const place = places.get(keyed(item, mergeKey));
    while (next < server.length) {
      const serverPlace = places.get(keyed(server[next], mergeKey));
      if (place === undefined || serverPlace === undefined || serverPlace > place) break;
      result.push(server[next++]);
    }
    result.push(item);
  }
  return [...result, ...server.slice(next)];
}

function placesOf(order: readonly unknown[], mergeKey: string | undefined): Map<unknown, number> {
  const places = new Map<unknown, number>();
  for (const [index, item] of order.entries()) {
    const key = keyed(item, mergeKey);
    if (!places.has(key)) places.set(key, index);
  }
  return places;
}
