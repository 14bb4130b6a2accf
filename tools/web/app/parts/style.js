// @ts-check
// The stylesheet of a lazy screen, added once.
import { useEffect, useState } from '../core/html.js';

/** @type {Map<string, Promise<void>>} */
const added = new Map();

/** @param {string} name */
function add(name) {
  const known = added.get(name);
  if (known) return known;
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = new URL(`../css/${name}.css`, import.meta.url).href;
  // Without its style a screen still works.
  const loaded = new Promise((/** @type {(value: void) => void} */ done) => {
    link.onload = () => done();
    link.onerror = () => done();
  });
  document.head.append(link);
  added.set(name, loaded);
  return loaded;
}

/** Whether `css/<name>.css` is there: a screen waits for it, so that nothing jumps. @param {string} name */
export function useStyle(name) {
  const [isThere, set] = useState(false);
  useEffect(() => { void add(name).then(() => set(true)); }, [name]);
  return isThere;
}
