/**
 * Data sets as people have them on disk, priors, and small real images to try things on.
 *
 * @module
 */
export { type EmojiSet, type EmojiVendor, loadEmoji, type LoadEmojiOptions } from "./emoji.ts";
