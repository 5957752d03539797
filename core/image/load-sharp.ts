import type Sharp from 'sharp';

/** The image library. It is loaded with the first picture: what needs none, such as a video filter, starts sooner. */
export async function loadSharp(): Promise<typeof Sharp> {
  return (await import('sharp')).default;
}
