/** The registry for the rooms above, which ask the actions for tools and never the adapters. */

export { adapters } from '../adapters/index.ts';
