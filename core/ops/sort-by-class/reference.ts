import type { IndexMap } from '../feature-map.js';

/**
 * order[p] = the pixel at place p when pixels are sorted by class, ascending; inside a class they keep raster order
 * (the official sort leaves that open).
 */
export function sortByClassReference(classes: IndexMap, classCount: number): IndexMap {
  const members = Array.from({ length: classCount }, (): number[] => []);
  classes.data.forEach((value, pixel) => {
    members[value]?.push(pixel);
  });
  return { ...classes, data: Int32Array.from(members.flat()) };
}
