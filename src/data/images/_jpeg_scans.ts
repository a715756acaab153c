/** Scans that are taken whatever the size: a progressive JPEG has about ten. */
const ALWAYS = 16;
/** Scans that are taken at most. */
const MOST = 1000;
/** Pixels that all scans together may go over: 10 seconds' work or so. */
const WORK = 1e9;

const START_OF_SCAN = 0xda;

/**
 * Refuses a JPEG that asks for its pixels to be gone over thousands of times: a few bytes a scan are enough for that.
 *
 * @throws {RangeError} If there are too many scans for so many pixels.
 */
export function checkScans(bytes: Uint8Array, pixels: number): void {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return;
  const most = Math.min(MOST, Math.max(ALWAYS, Math.floor(WORK / pixels)));
  const scans = countScans(bytes, most + 1);
  if (scans <= most) return;
  throw new RangeError(
    `Cannot decode an image as a JPEG of ${pixels} pixels must have at most ${most} scans: got more`,
  );
}

/** Counts the scans, up to a number; those of previews inside of segments are none. */
function countScans(bytes: Uint8Array, most: number): number {
  let scans = 0;
  for (let at = 2; scans < most;) {
    at = bytes.indexOf(0xff, at);
    if (at < 0 || at + 3 >= bytes.length) return scans;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) at++; // padding
    else if (hasNoLength(marker)) at += 2;
    else {
      if (marker === START_OF_SCAN) scans++;
      at += 2 + (bytes[at + 2]! << 8 | bytes[at + 3]!);
    }
  }
  return scans;
}

/** Stuffing within a scan, restarts, and the start and end of an image. */
function hasNoLength(marker: number): boolean {
  return marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd9);
}
